#!/usr/bin/env python3
"""Texts into classes: a finished run against scikit-learn's TF-IDF and linear models, trained and tested on the same rows.

    danlu run recipes/sections.yaml
    python3 bench/peers/texts.py runs/sections ~/.cache/danlu/sections/sections.csv        (needs: pip install scikit-learn)
    danlu run recipes/reviews.yaml
    python3 bench/peers/texts.py runs/reviews ~/.cache/danlu/reviews/reviews.csv
"""
import csv
import json
import pathlib
import sys
import time

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

FEATURES = {
    "words": {},
    "words and pairs": {"ngram_range": (1, 2), "sublinear_tf": True},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 5), "sublinear_tf": True},
}
MODELS = {
    "logistic regression": LogisticRegression(max_iter=1000),
    "logistic regression, C 10": LogisticRegression(C=10, max_iter=1000),
    "linear SVM": LinearSVC(),
    "linear SVM, C 0.3": LinearSVC(C=0.3),
}
MANY = 20  # classes: of so many, logistic regression takes hours


def main():
    run, source = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    column = json.loads((run / "preprocess.json").read_text())["column"]
    target = json.loads((run / "config.json").read_text())["target"]
    with open(source, newline="", encoding="utf-8") as file:
        rows = [(row[column], row[target]) for row in csv.DictReader(file)]
    split = json.loads((run / "split.json").read_text())
    train, test = ([rows[i] for i in split[part]] for part in ("train", "test"))
    texts, labels = zip(*train)
    questions, answers = zip(*test)
    metrics = json.loads((run / "report.json").read_text())["metrics"]
    for name in ("accuracy", "f1_macro"):
        if name in metrics:
            print(f"danlu: {name} {metrics[name]['value']:.4f} ({metrics[name]['low']:.4f} to {metrics[name]['high']:.4f})")
    print(f"danlu: {json.loads((run / 'run.json').read_text())['training']['seconds']:.1f} s of training; {len(train)} to train, {len(test)} to test")
    for features, options in FEATURES.items():
        for name, model in MODELS.items():
            if len(set(labels)) > MANY and isinstance(model, LogisticRegression):
                continue
            start = time.perf_counter()
            pipeline = make_pipeline(TfidfVectorizer(**options), model).fit(texts, labels)
            seconds = time.perf_counter() - start
            got = pipeline.predict(questions)
            print(f"TF-IDF of {features}, {name}: accuracy {accuracy_score(answers, got):.4f}, macro-F1 {f1_score(answers, got, average='macro'):.4f}, {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
