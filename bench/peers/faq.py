#!/usr/bin/env python3
"""Answers to held-out questions of a FAQ: a run of recipes/faq.yaml beside TF-IDF of scikit-learn and BM25 of rank_bm25, on the same split.

    danlu run recipes/faq.yaml
    python3 bench/peers/faq.py runs/faq        (needs: pip install scikit-learn rank_bm25)

Each entry is one text: its answer and the questions that train. TF-IDF looks for words, for words and pairs of them, and for grams of four letters.
"""
import json
import pathlib
import re
import sys

import numpy as np
from rank_bm25 import BM25Plus
from sklearn.feature_extraction.text import TfidfVectorizer


def measures(scores, right):
    own = scores[np.arange(len(right)), right]
    ranks = 1 + (scores > own[:, None]).sum(1) + ((scores == own[:, None]) & (np.arange(scores.shape[1]) < right[:, None])).sum(1)
    return (ranks <= 1).mean(), (ranks <= 3).mean(), (1 / ranks).mean()


def main():
    run = pathlib.Path(sys.argv[1])
    entries = json.loads((run / "bundle" / "faq.json").read_text())["entries"]
    split = json.loads((run / "split.json").read_text())
    number = {entry["id"]: n for n, entry in enumerate(entries)}
    texts = [entry["answer"] for entry in entries]
    for row in split["train"]:
        texts[number[row["entry"]]] += "\n" + row["question"]
    questions = [row["question"] for row in split["test"]]
    right = np.array([number[row["entry"]] for row in split["test"]])

    report = json.loads((run / "report.json").read_text())
    rows = {f"danlu, {name}": [m[key]["value"] for key in ("recall@1", "recall@3", "mrr")] for name, m in report["rankings"].items()}
    words = re.compile(r"[^\W_]+")
    bm25 = BM25Plus([words.findall(text.casefold()) for text in texts], k1=1.2)
    rows["rank_bm25"] = measures(np.array([bm25.get_scores(words.findall(question.casefold())) for question in questions]), right)
    for name, options in (("words", {}), ("words and pairs", {"ngram_range": (1, 2)}), ("grams of four letters", {"analyzer": "char_wb", "ngram_range": (4, 4)})):
        tfidf = TfidfVectorizer(sublinear_tf=True, stop_words=None if "analyzer" in options else "english", **options)
        vectors = tfidf.fit_transform(texts)
        rows[f"TF-IDF, {name}"] = measures((tfidf.transform(questions) @ vectors.T).toarray(), right)
    print(f"{len(questions)} questions, {len(entries)} answers\n{'':34}recall@1  recall@3  mrr")
    for name, (first, third, mrr) in rows.items():
        print(f"{name:34}{first:8.3f}  {third:8.3f}  {mrr:.3f}")


if __name__ == "__main__":
    main()
