#!/usr/bin/env python3
"""Films somebody will watch next: runs of recipes/movielens.yaml against implicit's BPR, on the same split, ranking all films that a user has not rated.

    for seed in 1 2 3; do danlu run recipes/movielens.yaml seed=$seed --name movielens-$seed; done
    python3 bench/peers/movielens.py ~/.cache/danlu/movielens/ratings.csv runs/movielens-[123]        (needs: pip install implicit)

BPR is tuned on the validation films over a grid of factors, rates, regularisation and rounds, then trained with as many seeds as there are runs: once on
what the recipe trains on, and once with the validation films besides, which it then knows better than the recipe's weights do. Differences are paired
over users and averaged over seeds, with bootstrap intervals.
"""
import csv
import itertools
import json
import pathlib
import sys
import time

import implicit
import numpy as np
import scipy.sparse as sparse

K = 10


class Split:
    def __init__(self, source, run):
        with open(source, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        parts = json.loads((run / "split.json").read_text())
        self.users = json.loads((run / "ranks.json").read_text())["users"]  # those tested
        user_ids = {user: n for n, user in enumerate(sorted({row["user"] for row in rows}))}
        item_ids = {item: n for n, item in enumerate(sorted({rows[r]["item"] for r in parts["train"]}))}
        self.shape = (len(user_ids), len(item_ids))
        self.pairs = {part: [(user_ids[rows[r]["user"]], item_ids.get(rows[r]["item"], -1)) for r in parts[part]] for part in parts}
        self.tested = np.array([user_ids[user] for user in self.users])

    def matrix(self, *parts):
        pairs = np.array([p for part in parts for p in self.pairs[part] if p[1] >= 0])
        return sparse.csr_matrix((np.ones(len(pairs), np.float32), (pairs[:, 0], pairs[:, 1])), shape=self.shape)

    def ranks(self, scores, part, seen):
        """Of each user's held-out item, by user; infinite for one that nobody had met."""
        ranks = np.full(self.shape[0], np.nan)
        for user, item in self.pairs[part]:
            ranks[user] = np.inf
            if item >= 0:
                s = scores[user].copy()
                s[seen.indices[seen.indptr[user]:seen.indptr[user + 1]]] = -np.inf
                ranks[user] = 1 + (s > s[item]).sum()
        return ranks


def ndcg(ranks):
    return np.where(ranks <= K, 1 / np.log2(1 + ranks), 0)


def bpr(matrix, seed, factors, rate, regularization, rounds):
    model = implicit.bpr.BayesianPersonalizedRanking(factors=factors, learning_rate=rate, regularization=regularization, iterations=rounds, random_state=seed,
                                                     num_threads=1)
    start = time.perf_counter()
    model.fit(matrix, show_progress=False)
    return model.user_factors @ model.item_factors.T, time.perf_counter() - start


def interval(values):
    rng = np.random.default_rng(0)
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(2000)]
    return "{:.4f} to {:.4f}".format(*np.quantile(means, [0.025, 0.975]))


def line(name, of_seeds, seconds=None):
    gains = np.mean(of_seeds, 0)
    means = [g.mean() for g in of_seeds]
    print(f"{name:<34} NDCG@{K} {gains.mean():.4f}  seeds {min(means):.4f} to {max(means):.4f}  users {interval(gains)}" + (f"  {seconds:.0f} s" if seconds else ""), flush=True)
    return gains


def main():
    source, runs = pathlib.Path(sys.argv[1]), [pathlib.Path(run) for run in sys.argv[2:]]
    split = Split(source, runs[0])
    seeds = range(1, 1 + len(runs))
    train, known = split.matrix("train"), split.matrix("train", "validation")

    def test_gains(scores):
        return ndcg(split.ranks(scores, "test", known)[split.tested])

    ours = []
    for run in runs:
        found = json.loads((run / "ranks.json").read_text())
        assert found["users"] == split.users, f"{run} has another split"
        ours.append(ndcg(np.array([np.inf if r is None else r for r in found["ranks"]], float)))
    seconds = np.mean([json.loads((run / "run.json").read_text())["training"]["seconds"] for run in runs])
    recipe = line("danlu", ours, seconds)
    popularity = line("popularity", [test_gains(np.tile(np.asarray(train.sum(0)), (split.shape[0], 1)))])
    best, chosen = -1, None
    for options in itertools.product((64, 128), (0.05, 0.1), (0.01, 0.02, 0.04), (100, 300)):
        gains = [np.nanmean(ndcg(r[~np.isnan(r)])) for r in (split.ranks(bpr(train, seed, *options)[0], "validation", train) for seed in (1, 2))]
        if np.mean(gains) > best:
            best, chosen = np.mean(gains), options
    print("BPR's best on validation: factors {}, rate {}, regularisation {}, {} rounds (NDCG {:.4f})".format(*chosen, best))
    for name, matrix in (("implicit BPR, trained alike", train), ("implicit BPR, with validation films", known)):
        fits = [bpr(matrix, seed, *chosen) for seed in seeds]
        gains = line(name, [test_gains(scores) for scores, _ in fits], np.mean([s for _, s in fits]))
        print(f"    danlu more by {np.mean(recipe - gains):+.4f}, 95 % interval {interval(recipe - gains)}")
    print(f"    danlu over popularity {np.mean(recipe - popularity):+.4f}, 95 % interval {interval(recipe - popularity)}")


if __name__ == "__main__":
    main()
