#!/usr/bin/env python3
"""The recipes of tables and scikit-learn on the same folds.

    danlu run recipes/credit.yaml                     # writes runs/credit/kfold.json
    python3 bench/peers/tables.py runs/credit [runs/diabetes ...] [--metric auc]

kfold.json names the test rows of every fold and what Danlu measured there. Logistic regression, a random forest and gradient
boosting, each as it comes and in one more careful setting, are trained on the other rows: categories one-hot, numbers standardised
with gaps at their median and a column that marks them. Needs: pip install scikit-learn pandas
"""
import argparse
import json
import os
import pathlib
import warnings

import numpy
import pandas
from scipy.io import arff
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score, roc_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

DATA = pathlib.Path(os.environ.get("DANLU_DATA", pathlib.Path.home() / ".cache/danlu"))
# Run: file, target, positive class, columns left out.
TABLES = {
    "credit": ("credit/credit-g.arff", "class", "bad", []),
    "diabetes": ("diabetes/diabetes.arff", "class", "tested_positive", []),
    "medical": ("breast-cancer/breast_cancer.csv", 30, 0, []),
    "credit-scoring": ("credit/credit_data.csv", "Status", "bad", []),
    "lending": ("credit/lending_club.csv", "Class", "bad", []),
    "spam": ("spam/spam.csv", "type", "spam", []),
}
MODELS = {
    "logistic regression": lambda: LogisticRegression(max_iter=5000),
    "logistic regression, C 0.1": lambda: LogisticRegression(max_iter=5000, C=0.1),
    "random forest, 500 trees": lambda: RandomForestClassifier(500, n_jobs=-1, random_state=0),
    "random forest, leaves of 5": lambda: RandomForestClassifier(500, min_samples_leaf=5, n_jobs=-1, random_state=0),
    "gradient boosting": lambda: GradientBoostingClassifier(random_state=0),
    "gradient boosting, 300 x 0.03": lambda: GradientBoostingClassifier(n_estimators=300, learning_rate=0.03, subsample=0.5, random_state=0),
    "gradient boosting, histograms": lambda: HistGradientBoostingClassifier(learning_rate=0.05, early_stopping=True, random_state=0),
}
METRICS = {
    "auc": roc_auc_score,
    "pr_auc": average_precision_score,
    "log_loss": log_loss,
    "ks": lambda y, p: max(numpy.subtract(*roc_curve(y, p)[1::-1])),
}


def read(name):
    file, target, positive, left_out = TABLES[name]
    if file.endswith(".arff"):
        table = pandas.DataFrame(arff.loadarff(DATA / file)[0])
        for column in table.columns[table.dtypes == object]:
            table[column] = table[column].str.decode("utf-8").replace("?", None)
    elif isinstance(target, int):
        table = pandas.read_csv(DATA / file, skiprows=1, header=None)
    else:
        table = pandas.read_csv(DATA / file)
    table = table[table[target].notna()].reset_index(drop=True)
    table.columns = table.columns.astype(str)
    y = (table.pop(str(target)) == positive).astype(int).to_numpy()
    return table.drop(columns=left_out), y


def behind_transforms(x, model):
    words = [c for c in x if not pandas.api.types.is_numeric_dtype(x[c])]
    numbers = [c for c in x if c not in words]
    gaps = SimpleImputer(strategy="median", add_indicator=True)
    return make_pipeline(
        make_column_transformer(
            (make_pipeline(gaps, StandardScaler()), numbers),
            (OneHotEncoder(handle_unknown="ignore", min_frequency=2, sparse_output=False), words),
        ),
        model,
    )


def compare(run, metric):
    name = run.name
    x, y = read(name)
    record = json.loads((run / "kfold.json").read_text())
    folds = [numpy.array(fold["test"]) for fold in record["scores"]]
    ours = numpy.array([fold[metric] for fold in record["scores"]])
    print(f"{name}: {metric} over {record['repeats']} x {record['folds']} folds of {len(y)} rows, {y.mean():.1%} positive; the same folds for all")
    print(f"  {'danlu':<30} {ours.mean():.4f}")
    best = None
    for title, make in MODELS.items():
        scores = []
        for test in folds:
            train = numpy.setdiff1d(numpy.arange(len(y)), test)
            model = behind_transforms(x, make()).fit(x.iloc[train], y[train])
            scores.append(METRICS[metric](y[test], model.predict_proba(x.iloc[test])[:, 1]))
        scores = numpy.array(scores)
        difference = ours - scores
        # Nadeau and Bengio's correction: the training sets of the folds overlap.
        error = numpy.sqrt((1 / len(ours) + 1 / (record["folds"] - 1)) * difference.var(ddof=1))
        print(f"  {title:<30} {scores.mean():.4f}   danlu minus it {difference.mean():+.4f} +- {error:.4f}", flush=True)
        if best is None or (scores.mean() < best) == (metric == "log_loss"):
            best = scores.mean()
    print(f"  danlu minus the best of them: {ours.mean() - best:+.4f}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=pathlib.Path)
    parser.add_argument("--metric", choices=METRICS, default="auc")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    for run in options.runs:
        compare(run, options.metric)


if __name__ == "__main__":
    main()
