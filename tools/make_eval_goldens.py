#!/usr/bin/env python3
"""Writes danlu/eval/testdata/goldens.json: what scikit-learn and SciPy make of the same predictions.

    pip install scikit-learn && tools/make_eval_goldens.py

Every classification and regression case holds all metrics of danlu/eval/metrics.cpp twice: of the samples as they are, and
with each sample repeated as often as `counts` says. null stands for undefined, where scikit-learn warns and gives NaN, or 0
for the average precision without positives.
"""
import json
import math
import pathlib
import warnings

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn import metrics as m
from sklearn.calibration import calibration_curve

OUT = pathlib.Path(__file__).resolve().parent.parent / "danlu/eval/testdata/goldens.json"
BINS = 10


def undefined_as_none(value):
    return None if isinstance(value, float) and math.isnan(value) else float(value)


def auc_of(truth, score):
    return m.roc_auc_score(truth, score) if 0 < truth.sum() < len(truth) else math.nan


def ovr_auc(labels, p, weighted):
    aucs = np.array([auc_of(labels == k, p[:, k]) for k in range(p.shape[1])])
    support = np.bincount(labels, minlength=p.shape[1]).astype(float)
    defined = ~np.isnan(aucs)
    if not defined.any():
        return math.nan
    if defined.all() and p.shape[1] > 2:  # then scikit-learn has it in one call
        return m.roc_auc_score(labels, p, multi_class="ovr", average="weighted" if weighted else "macro")
    return np.average(aucs[defined], weights=support[defined] if weighted else None)


def ece(truth, confidence):
    bins = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], confidence)
    return sum(abs(truth[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins))


def classification_metrics(labels, p, threshold):
    classes = p.shape[1]
    binary = classes == 2
    predicted = (p[:, 1] >= threshold).astype(int) if binary else p.argmax(axis=1)
    out = {
        "accuracy": m.accuracy_score(labels, predicted),
        "balanced_accuracy": m.balanced_accuracy_score(labels, predicted),
        "mcc": m.matthews_corrcoef(labels, predicted),
        "auc": auc_of(labels == 1, p[:, 1]) if binary else ovr_auc(labels, p, False),
        "auc_weighted": ovr_auc(labels, p, True),
        "log_loss": m.log_loss(labels, p, labels=range(classes)),
        "brier": m.brier_score_loss(labels, p[:, 1], pos_label=1) if binary
                 else m.brier_score_loss(labels, p, labels=range(classes)),
    }
    keep = {"labels": range(classes), "zero_division": 0}
    for average in ("macro", "micro", "weighted"):
        out[f"precision_{average}"] = m.precision_score(labels, predicted, average=average, **keep)
        out[f"recall_{average}"] = m.recall_score(labels, predicted, average=average, **keep)
        out[f"f1_{average}"] = m.f1_score(labels, predicted, average=average, **keep)
    # The specificity of a class is the recall of all the others taken as one.
    specificity = [m.recall_score(labels == k, predicted == k, pos_label=False, zero_division=0) for k in range(classes)]
    out["specificity_macro"] = np.mean(specificity)
    if binary:
        out["precision"] = m.precision_score(labels, predicted, zero_division=0)
        out["recall"] = m.recall_score(labels, predicted, zero_division=0)
        out["f1"] = m.f1_score(labels, predicted, zero_division=0)
        out["specificity"] = specificity[1]
        out["pr_auc"] = m.average_precision_score(labels, p[:, 1]) if labels.any() else math.nan
        both = 0 < labels.sum() < len(labels)
        out["ks"] = stats.ks_2samp(p[labels == 1, 1], p[labels == 0, 1]).statistic if both else math.nan
        for percent in (90, 95):
            fpr, tpr, _ = m.roc_curve(labels, p[:, 1], drop_intermediate=False) if both else (np.array([0]), np.array([math.nan]), None)
            out[f"recall_at_specificity_{percent}"] = max(tpr[fpr <= 1 - percent / 100 + 1e-12])
        out["ece"] = ece(labels, p[:, 1])
    else:
        out["ece"] = ece(predicted == labels, p.max(axis=1))
    return {name: undefined_as_none(float(value)) for name, value in out.items()}


def per_class(labels, predicted, classes):
    precision, recall, f1, support = m.precision_recall_fscore_support(labels, predicted, labels=range(classes), zero_division=0)
    return {"precision": precision.tolist(), "recall": recall.tolist(), "f1": f1.tolist(), "support": support.tolist()}


def curves(labels, scores):
    fpr, tpr, roc_thresholds = m.roc_curve(labels, scores, drop_intermediate=False)
    precision, recall, pr_thresholds = m.precision_recall_curve(labels, scores)
    frequency, confidence = calibration_curve(labels, scores, n_bins=BINS)
    goals = {"f1": [], "f2": [], "youden": [], "cost": []}
    for t in np.append(np.unique(scores), np.inf):
        predicted = (scores >= t).astype(int)
        tn, fp, fn, tp = m.confusion_matrix(labels, predicted, labels=[0, 1]).ravel()
        goals["f1"].append(m.f1_score(labels, predicted, zero_division=0))
        goals["f2"].append(m.fbeta_score(labels, predicted, beta=2, zero_division=0))
        goals["youden"].append(tp / (tp + fn) - fp / (fp + tn))
        goals["cost"].append(-(fp + 5 * fn) / len(labels))
    return {
        "roc": {"fpr": fpr.tolist(), "tpr": tpr.tolist(), "thresholds": roc_thresholds[1:].tolist()},
        "pr": {"precision": precision.tolist(), "recall": recall.tolist(), "thresholds": pr_thresholds.tolist()},
        "reliability": {"frequency": frequency.tolist(), "confidence": confidence.tolist()},
        "best": {goal: float(max(values)) for goal, values in goals.items()},
    }


def classification_case(name, rng, labels, p, threshold=0.5, with_curves=False):
    labels = np.asarray(labels, dtype=int)
    p = np.asarray(p, dtype=float)
    counts = rng.integers(0, 4, len(labels))
    counts[0] = max(counts[0], 1)
    predicted = (p[:, 1] >= threshold).astype(int) if p.shape[1] == 2 else p.argmax(axis=1)
    case = {
        "name": name, "classes": p.shape[1], "threshold": threshold, "labels": labels.tolist(),
        "probabilities": p.ravel().tolist(), "counts": counts.tolist(),
        "metrics": classification_metrics(labels, p, threshold),
        "metrics_of_counts": classification_metrics(np.repeat(labels, counts), np.repeat(p, counts, axis=0), threshold),
        "confusion": m.confusion_matrix(labels, predicted, labels=range(p.shape[1])).tolist(),
        "per_class": per_class(labels, predicted, p.shape[1]),
    }
    if with_curves:
        case.update(curves(labels, p[:, 1]))
    return case


def two(positive):
    positive = np.asarray(positive, dtype=float)
    return np.stack([1 - positive, positive], axis=1)


def exact_rows(p, digits):
    """Rounded so that ties appear, each row still summing to one."""
    p = np.floor(p * 10**digits) / 10**digits
    p[:, -1] += 1 - p.sum(axis=1)
    return p


def classification_cases(rng):
    y = rng.integers(0, 2, 60)
    informed = np.clip(0.5 + 0.25 * (2 * y - 1) + 0.3 * rng.standard_normal(60), 0.001, 0.999)
    yield classification_case("binary", rng, y, two(informed), with_curves=True)
    yield classification_case("binary, threshold 0.3", rng, y, two(informed), threshold=0.3)
    yield classification_case("binary, ties and bin edges", rng, y, two(np.round(informed, 1)), with_curves=True)
    yield classification_case("binary, all scores equal", rng, y, two(np.full(60, 0.5)), with_curves=True)
    yield classification_case("binary, certain and at times wrong", rng, y, two((rng.random(60) < 0.8).astype(float)))
    yield classification_case("binary, perfect", rng, y, two(0.25 + 0.5 * y), with_curves=True)
    yield classification_case("binary, upside down", rng, y, two(1 - informed), with_curves=True)
    yield classification_case("binary, only positives", rng, np.ones(20, int), two(rng.random(20)))
    yield classification_case("binary, only negatives", rng, np.zeros(20, int), two(rng.random(20)))
    yield classification_case("binary, nothing called positive", rng, y, two(informed / 3))
    yield classification_case("binary, one sample", rng, [1], two([0.7]))
    yield classification_case("binary, rare positives", rng, (rng.random(80) < 0.05).astype(int), two(rng.random(80)))

    y3 = rng.integers(0, 3, 60)
    p3 = rng.dirichlet(np.ones(3), 60) * 0.5 + np.eye(3)[y3] * 0.5
    p3[::4] = rng.dirichlet(np.ones(3), 15)
    yield classification_case("three classes", rng, y3, p3)
    yield classification_case("three classes, ties", rng, y3, exact_rows(p3, 1))
    y5 = rng.choice([0, 1, 3, 4], 50)
    p5 = rng.dirichlet(np.ones(5), 50)
    yield classification_case("five classes, one without samples", rng, y5, p5)
    p5[:, 2] = 0
    p5 /= p5.sum(axis=1, keepdims=True)
    yield classification_case("five classes, one without samples or predictions", rng, y5, p5)
    yield classification_case("four classes, all samples of one", rng, np.full(10, 2), rng.dirichlet(np.ones(4), 10))
    yield classification_case("three classes, one sample", rng, [2], [[0.2, 0.5, 0.3]])


def regression_metrics(targets, values):
    mse = m.mean_squared_error(targets, values)
    out = {"mse": mse, "rmse": math.sqrt(mse), "mae": m.mean_absolute_error(targets, values),
           "r2": m.r2_score(targets, values)}
    return {name: undefined_as_none(float(value)) for name, value in out.items()}


def regression_cases(rng):
    def case(name, targets, values):
        counts = rng.integers(0, 4, len(targets))
        counts[:2] = np.maximum(counts[:2], 1)
        return {"name": name, "targets": list(map(float, targets)), "values": list(map(float, values)),
                "counts": counts.tolist(), "metrics": regression_metrics(targets, values),
                "metrics_of_counts": regression_metrics(np.repeat(targets, counts), np.repeat(values, counts))}

    t = 100 + 10 * rng.standard_normal(60)
    yield case("random", t, t + rng.standard_normal(60))
    yield case("no better than chance", t, rng.permutation(t))
    yield case("perfect", t, t)
    yield case("constant targets, missed", np.full(10, 4.0), rng.standard_normal(10))
    yield case("constant targets, met", np.full(10, 4.0), np.full(10, 4.0))
    yield case("two samples", [1.0, 2.0], [1.5, 1.0])


def multilabel_metrics(truth, p, thresholds):
    predicted = (p >= thresholds).astype(int)
    keep = {"zero_division": 0}
    out = {"hamming_loss": m.hamming_loss(truth, predicted), "subset_accuracy": m.accuracy_score(truth, predicted)}
    for average in ("macro", "micro", "weighted"):
        out[f"precision_{average}"] = m.precision_score(truth, predicted, average=average, **keep)
        out[f"recall_{average}"] = m.recall_score(truth, predicted, average=average, **keep)
        out[f"f1_{average}"] = m.f1_score(truth, predicted, average=average, **keep)
    there = truth.sum(axis=0) > 0  # labels without a sample have no ranking
    out["mean_average_precision"] = m.average_precision_score(truth[:, there], p[:, there], average="macro") if there.any() else math.nan
    out["log_loss"] = np.mean([m.log_loss(truth[:, k], p[:, k], labels=[0, 1]) for k in range(truth.shape[1])])
    return {name: undefined_as_none(float(value)) for name, value in out.items()}


def multilabel_cases(rng):
    def case(name, truth, p, thresholds):
        counts = rng.integers(0, 4, len(truth))
        counts[0] = max(counts[0], 1)
        return {"name": name, "truth": truth.ravel().tolist(), "probabilities": p.ravel().tolist(), "thresholds": list(map(float, thresholds)),
                "counts": counts.tolist(), "metrics": multilabel_metrics(truth, p, thresholds),
                "metrics_of_counts": multilabel_metrics(np.repeat(truth, counts, axis=0), np.repeat(p, counts, axis=0), thresholds)}

    truth = (rng.random((50, 6)) < [0.5, 0.3, 0.2, 0.1, 0.05, 0]).astype(int)
    informed = np.clip(0.4 * truth + 0.3 + 0.2 * rng.standard_normal(truth.shape), 0.001, 0.999)
    yield case("six labels, one without samples", truth, informed, np.full(6, 0.5))
    yield case("thresholds of their own", truth, informed, np.array([0.3, 0.4, 0.45, 0.5, 0.6, 0.7]))
    yield case("ties on the threshold", truth, np.round(informed, 1).clip(0.1, 0.9), np.full(6, 0.5))
    yield case("nothing is said", truth, informed / 3, np.full(6, 0.5))
    yield case("all labels of all samples", np.ones((10, 3), int), rng.random((10, 3)), np.full(3, 0.5))
    yield case("one sample", np.array([[1, 0]]), np.array([[0.7, 0.2]]), np.full(2, 0.5))


def clustering_cases(rng):
    for name, x, clusters in (
        ("blobs", np.concatenate([rng.normal(c, 1, (30, 3)) for c in (0, 4, 9)]), np.repeat([0, 1, 2], 30)),
        ("no structure", rng.normal(0, 1, (40, 2)), rng.integers(0, 4, 40)),
        ("one alone, one without samples", rng.normal(0, 1, (12, 5)), np.array([0, 0, 0, 2, 2, 2, 2, 0, 0, 2, 2, 4])),
    ):
        x = x.astype(np.float32).astype(float)
        distances = np.sqrt(((x[:, None] - x[None]) ** 2).sum(-1))
        other = rng.permutation(clusters) if name == "no structure" else np.roll(clusters, 5)
        yield {"name": name, "features": x.shape[1], "x": x.ravel().tolist(), "clusters": clusters.tolist(), "other": other.tolist(),
               "silhouettes": m.silhouette_samples(distances, clusters, metric="precomputed").tolist(),
               "davies_bouldin": m.davies_bouldin_score(x, clusters), "adjusted_rand": m.adjusted_rand_score(clusters, other)}


def fold_cases(rng):
    for folds in (2, 5, 10, 100):
        scores = 0.9 + 0.05 * rng.standard_normal(folds)
        sd, t = scores.std(ddof=1), stats.t.ppf(0.975, folds - 1)
        plain, corrected = t * sd / math.sqrt(folds), t * sd * math.sqrt(1 / folds + 1 / 9)
        yield {"scores": scores.tolist(), "mean": scores.mean(), "standard_deviation": sd,
               "half_width": plain, "half_width_corrected": corrected}


def main():
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(20240601)
    goldens = {
        "made_with": f"scikit-learn {sklearn.__version__}, scipy {scipy.__version__}, numpy {np.__version__}",
        "classification": list(classification_cases(rng)),
        "regression": list(regression_cases(rng)),
        "folds": list(fold_cases(rng)),
        "multilabel": list(multilabel_cases(np.random.default_rng(20240603))),
        "clustering": list(clustering_cases(np.random.default_rng(20240602))),
        "student_t": [{"p": p, "degrees": d, "t": float(stats.t.ppf(p, d))}
                      for p in (0.001, 0.3, 0.6, 0.95, 0.975, 0.9999) for d in (1, 2, 4, 9, 99, 10000)],
        "mcnemar": [{"only_a": a, "only_b": b, "p": float(stats.binomtest(a, a + b).pvalue) if a + b else 1.0}
                    for a, b in ((0, 0), (0, 1), (3, 3), (1, 9), (12, 25), (400, 470), (5000, 5000))],
    }
    lines = [f'  {json.dumps(key)}: ' + (json.dumps(value) if isinstance(value, str) else
             "[\n" + ",\n".join("    " + json.dumps(item, separators=(",", ":")) for item in value) + "\n  ]")
             for key, value in goldens.items()]
    OUT.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(OUT, OUT.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
