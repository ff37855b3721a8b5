#!/usr/bin/env python3
"""k-means: a run of a table of numbers against scikit-learn's KMeans on the same training rows, scaled as the run scaled them.

    danlu run recipes/weather-kinds.yaml
    python3 bench/peers/clusters.py runs/weather-kinds ~/.cache/danlu/series/seattle-weather.csv        (needs: pip install scikit-learn)
"""
import csv
import json
import pathlib
import struct
import sys

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, davies_bouldin_score, silhouette_score


def scaled(values, scale):
    """danlu/data/table/scale.h; its standard and log methods."""
    if scale["method"] == "log":
        values = np.sign(values) * np.log1p(np.abs(values))
    return (values - scale["shift"]) / scale["scale"]


def read_tensor(path):
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])["centers"]
    begin, end = header["data_offsets"]
    return np.frombuffer(raw[8 + size + begin:8 + size + end], dtype="<f4").reshape(header["shape"]).astype(float)


def main():
    run, source = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    with open(source, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    preprocess = json.loads((run / "preprocess.json").read_text())
    x = np.stack([scaled(np.array([float(row[c["name"]]) for row in rows]), c["scale"]) for c in preprocess["columns"]], axis=1)
    split = json.loads((run / "split.json").read_text())
    train, test = x[split["train"]], x[split["test"]]
    centers = read_tensor(run / "bundle/model.safetensors")

    def describe(name, centers):
        def nearest(rows):
            return ((rows[:, None] - centers[None]) ** 2).sum(-1)
        inertia, labels = nearest(train).min(1).sum(), nearest(test).argmin(1)
        print(f"{name:<14} training inertia {inertia:.4f}  test: silhouette {silhouette_score(test, labels):.4f}  Davies-Bouldin {davies_bouldin_score(test, labels):.4f}")
        return inertia, labels

    ours, our_labels = describe("danlu", centers)
    theirs = KMeans(len(centers), n_init=10, max_iter=300, random_state=0).fit(train)
    their_inertia, their_labels = describe("scikit-learn", theirs.cluster_centers_)
    print(f"inertia {100 * (ours / their_inertia - 1):+.4f} %; the same division of the test rows: adjusted Rand index {adjusted_rand_score(our_labels, their_labels):.4f}")
    report = json.loads((run / "report.json").read_text())
    print(f"report.json: training inertia {report['training_inertia']:.4f}  silhouette {report['metrics']['silhouette']['value']:.4f}")


if __name__ == "__main__":
    main()
