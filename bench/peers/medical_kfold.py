#!/usr/bin/env python3
"""The medical recipe and scikit-learn on the same folds.

    danlu run recipes/medical.yaml                    # writes runs/medical/kfold.json
    python3 bench/peers/medical_kfold.py runs/medical [~/.cache/danlu/breast-cancer/breast_cancer.csv]

kfold.json names the test rows of every fold and Danlu's accuracy there; scikit-learn's logistic regression and multi-layer
perceptron (both behind a StandardScaler, as its users run them) are trained on the other rows. Needs: pip install scikit-learn
"""
import json
import pathlib
import sys
import warnings

import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main():
    run = pathlib.Path(sys.argv[1])
    default = pathlib.Path.home() / ".cache/danlu/breast-cancer/breast_cancer.csv"
    table = numpy.loadtxt(sys.argv[2] if len(sys.argv) > 2 else default, delimiter=",", skiprows=1)
    x, y = table[:, :-1], table[:, -1].astype(int)
    record = json.loads((run / "kfold.json").read_text())
    peers = {
        "logistic regression": lambda: LogisticRegression(max_iter=5000),
        "MLP (32)": lambda: MLPClassifier((32,), max_iter=1000, random_state=0),
        "MLP (100), its default": lambda: MLPClassifier(max_iter=1000, random_state=0),
    }
    scores = {name: [] for name in peers}
    ours = []
    warnings.filterwarnings("ignore")
    for fold in record["scores"]:
        test = numpy.array(fold["test"])
        train = numpy.setdiff1d(numpy.arange(len(y)), test)
        ours.append(fold["accuracy"])
        for name, make in peers.items():
            model = make_pipeline(StandardScaler(), make())
            scores[name].append(model.fit(x[train], y[train]).score(x[test], y[test]))
    ours = numpy.array(ours)
    folds, repeats = record["folds"], record["repeats"]
    print(f"{repeats} x {folds}-fold accuracy on {len(y)} rows, the same folds for all")
    print(f"  danlu                   {ours.mean():.4f}   standard deviation of the folds {ours.std(ddof=1):.4f}")
    for name, values in scores.items():
        values = numpy.array(values)
        difference = ours - values
        # Nadeau and Bengio's correction: the training sets of the folds overlap.
        error = numpy.sqrt((1 / len(ours) + 1 / (folds - 1)) * difference.var(ddof=1))
        print(f"  {name:<22}  {values.mean():.4f}   danlu minus it {difference.mean():+.4f} +- {error:.4f}")


if __name__ == "__main__":
    main()
