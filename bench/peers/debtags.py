#!/usr/bin/env python3
"""Several labels a text: a run of recipes/debtags.yaml against scikit-learn's TF-IDF + one-vs-rest logistic regression on the same rows.

Both choose each label's threshold on the validation rows, for its F1.

    danlu run recipes/debtags.yaml
    python3 bench/peers/debtags.py runs/debtags ~/.cache/danlu/debtags/debtags.csv        (needs: pip install scikit-learn)
"""
import csv
import json
import pathlib
import sys
import time

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, hamming_loss, precision_recall_curve
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline


def best_thresholds(truth, p):
    thresholds = []
    for k in range(truth.shape[1]):
        if truth[:, k].all() or not truth[:, k].any():
            thresholds.append(0.5)
            continue
        precision, recall, at = precision_recall_curve(truth[:, k], p[:, k])
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        thresholds.append(at[f1[:-1].argmax()])
    return np.array(thresholds)


def describe(name, truth, p, thresholds, seconds):
    said = p >= thresholds
    there = truth.sum(axis=0) > 0
    print(f"{name:<28} micro-F1 {f1_score(truth, said, average='micro', zero_division=0):.4f}  macro-F1 {f1_score(truth, said, average='macro', zero_division=0):.4f}  "
          f"mAP {average_precision_score(truth[:, there], p[:, there], average='macro'):.4f}  Hamming {hamming_loss(truth, said):.5f}  "
          f"subset {accuracy_score(truth, said):.4f}  {seconds:.1f} s")


def main():
    run, source = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    with open(source, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    split = json.loads((run / "split.json").read_text())
    report = json.loads((run / "report.json").read_text())
    names = [c["name"] for c in report["classes"]]
    index = {name: k for k, name in enumerate(names)}

    def part(name):
        truth = np.zeros((len(split[name]), len(names)), int)
        for i, row in enumerate(split[name]):
            for tag in rows[row]["tags"].split(","):
                if tag.strip() in index:
                    truth[i, index[tag.strip()]] = 1
        return [rows[row]["text"] for row in split[name]], truth

    (texts, labels), (held_out, held_out_labels), (questions, answers) = (part(name) for name in ("train", "validation", "test"))
    m = {name: value["value"] for name, value in report["metrics"].items()}
    seconds = json.loads((run / "run.json").read_text())["training"]["seconds"]
    print(f"{len(texts)} training texts, {len(questions)} test texts, {len(names)} labels")
    print(f"{'danlu':<28} micro-F1 {m['f1_micro']:.4f}  macro-F1 {m['f1_macro']:.4f}  mAP {m['mean_average_precision']:.4f}  Hamming {m['hamming_loss']:.5f}  "
          f"subset {m['subset_accuracy']:.4f}  {seconds:.1f} s")
    for name, options in (("words", {}), ("words and pairs", {"ngram_range": (1, 2), "sublinear_tf": True}),
                          ("characters", {"analyzer": "char_wb", "ngram_range": (2, 5), "sublinear_tf": True, "min_df": 2})):
        start = time.perf_counter()
        model = make_pipeline(TfidfVectorizer(**options), OneVsRestClassifier(LogisticRegression(C=10, max_iter=300), n_jobs=1)).fit(texts, labels)
        seconds = time.perf_counter() - start
        thresholds = best_thresholds(held_out_labels, model.predict_proba(held_out))
        describe(f"TF-IDF of {name}", answers, model.predict_proba(questions), thresholds, seconds)


if __name__ == "__main__":
    main()
