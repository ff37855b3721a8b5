#!/usr/bin/env python3
"""Package descriptions into sections: a run of recipes/sections.yaml against scikit-learn's TF-IDF + linear SVM, trained and tested on the same rows.

    danlu run recipes/sections.yaml
    python3 bench/peers/sections.py runs/sections ~/.cache/danlu/sections/sections.csv        (needs: pip install scikit-learn)
"""
import csv
import json
import pathlib
import sys
import time

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC


def main():
    run, source = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    with open(source, newline="", encoding="utf-8") as file:
        rows = [(row["text"], row["section"]) for row in csv.DictReader(file)]
    split = json.loads((run / "split.json").read_text())
    train, test = ([rows[i] for i in split[part]] for part in ("train", "test"))
    metrics = json.loads((run / "report.json").read_text())["metrics"]
    seconds = json.loads((run / "run.json").read_text())["training"]["seconds"]
    print(f"danlu                        accuracy {metrics['accuracy']['value']:.4f}  macro-F1 {metrics['f1_macro']['value']:.4f}  {seconds:.1f} s")
    texts, labels = zip(*train)
    questions, answers = zip(*test)
    for name, options in (("words", {}), ("words and pairs", {"ngram_range": (1, 2), "sublinear_tf": True}),
                          ("characters", {"analyzer": "char_wb", "ngram_range": (2, 5), "sublinear_tf": True})):
        start = time.perf_counter()
        model = make_pipeline(TfidfVectorizer(**options), LinearSVC()).fit(texts, labels)
        seconds = time.perf_counter() - start
        got = model.predict(questions)
        print(f"TF-IDF of {name:<18} accuracy {accuracy_score(answers, got):.4f}  macro-F1 {f1_score(answers, got, average='macro'):.4f}  {seconds:.1f} s")


if __name__ == "__main__":
    main()
