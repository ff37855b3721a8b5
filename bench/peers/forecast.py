#!/usr/bin/env python3
"""Forecasts of a run beside the seasonal naive one and scikit-learn's ridge regression, on the same windows of the same walk-forward test.

    for seed in 1 2 3; do danlu run recipes/co2.yaml seed=$seed --name co2-$seed; done
    python3 bench/peers/forecast.py runs/co2-[123]            (needs: pip install numpy scikit-learn pyyaml)

The ridge regression sees what the recipe's model sees (the last values less the last one, those at the lags, the calendar and the columns known in
advance) and foretells the same differences to the value a season before. Its strength is chosen on the validation part, from which it then learns
too: more than the recipe's weights do. Differences are paired over windows, with intervals from a bootstrap over blocks of a horizon.
"""
import csv
import datetime
import json
import math
import pathlib
import sys

import numpy as np
import yaml
from sklearn.linear_model import Ridge

DAY = 86400


def time_of(text):
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d"):
        try:
            return datetime.datetime.strptime(text, form)
        except ValueError:
            pass
    raise ValueError(text)


def filled(values):
    there = np.flatnonzero(~np.isnan(values))
    return np.interp(np.arange(len(values)), there, values[there])


class Series:
    """One column of a table with a row for each day or week."""

    def __init__(self, run):
        recipe = yaml.safe_load((run / "resolved.yaml").read_text())
        self.options = o = recipe["data"]["series"]
        assert not o["id"] and len(o["values"]) == 1 and o["reference"] == "season", "this script takes one series"
        with open(recipe["data"]["source"], newline="", encoding="utf-8") as file:
            rows = sorted(csv.DictReader(file), key=lambda row: time_of(row[o["time"]]))
        times = [time_of(row[o["time"]]) for row in rows]
        step = min(b - a for a, b in zip(times, times[1:]))
        count = (times[-1] - times[0]) // step + 1
        self.times = [times[0] + i * step for i in range(count)]
        self.values = np.full(count, np.nan)
        self.known = np.full((count, len(o["known"])), np.nan)
        for row, time in zip(rows, times):
            at = (time - times[0]) // step
            if row[o["values"][0]] not in ("", "NA"):
                self.values[at] = float(row[o["values"][0]])
            self.known[at] = [float(row[name]) for name in o["known"]]
        self.parts = {part: len(of_part) for part, of_part in json.loads((run / "split.json").read_text()).items()}
        self.known = np.nan_to_num((self.known - np.nanmean(self.known[:self.parts["train"]], 0)) / np.nanstd(self.known[:self.parts["train"]], 0)) if o["known"] else self.known
        self.calendar = np.array([self.calendar_of(time) for time in self.times])
        self.history = max([o["length"], math.ceil(o["horizon"] / o["season"]) * o["season"]] + [o["length"] + lag for lag in o["lags"]])

    def calendar_of(self, time):
        channels = []
        for part in self.options["calendar"]:
            if part == "weekday":
                channels += [float(time.weekday() == day) for day in range(7)]
                continue
            first = datetime.datetime(time.year, 1, 1)
            phase = (time - first) / (datetime.datetime(time.year + 1, 1, 1) - first) if part == "year" else (time.hour * 3600 + time.minute * 60) / DAY
            channels += [f(2 * math.pi * k * phase) for k in (1, 2) for f in (math.sin, math.cos)]
        return channels

    def window(self, origin):
        o = self.options
        past = filled(self.values[origin - self.history:origin])
        ahead = range(-o["length"], o["horizon"])
        shown = [past[-o["length"]:] - past[-1]] + [np.array([past[len(past) + a - lag] for a in ahead]) - past[-1] for lag in o["lags"]]
        around = slice(origin - o["length"], origin + o["horizon"])
        x = np.concatenate(shown + [self.calendar[around].ravel(), self.known[around].ravel()])
        seasonal = np.array([past[len(past) + h - o["season"] * (h // o["season"] + 1)] for h in range(o["horizon"])])
        return x, seasonal, self.values[origin:origin + o["horizon"]]

    def windows(self, begin, end):
        windows = []
        for origin in range(max(begin, self.history), end - self.options["horizon"] + 1):
            x, seasonal, truth = self.window(origin)
            if not np.isnan(truth).all():
                windows.append((x, seasonal, truth))
        return [np.stack(parts) for parts in zip(*windows)]


def rmse(forecast, truth):
    return math.sqrt(np.nanmean((forecast - truth) ** 2))


def difference(a, b, truth, horizon, draws=2000):
    """RMSE of a less that of b: over all windows, and its interval over blocks."""
    blocks = np.arange(len(truth)) // horizon
    sums = np.array([[np.nansum((f[blocks == k] - truth[blocks == k]) ** 2) for f in (a, b)] + [np.sum(~np.isnan(truth[blocks == k]))] for k in range(blocks[-1] + 1)])
    rng = np.random.default_rng(0)
    drawn = [sums[rng.integers(0, len(sums), len(sums))].sum(0) for _ in range(draws)]
    values = [math.sqrt(d[0] / d[2]) - math.sqrt(d[1] / d[2]) for d in drawn]
    return "{:+.4f}, 95 % interval {:+.4f} to {:+.4f}".format(rmse(a, truth) - rmse(b, truth), *np.quantile(values, [0.025, 0.975]))


def main():
    runs = [pathlib.Path(run) for run in sys.argv[1:]]
    series = Series(runs[0])
    horizon = series.options["horizon"]
    train, valid = series.parts["train"], series.parts["train"] + series.parts["validation"]
    x, seasonal, truth = series.windows(valid, valid + series.parts["test"])
    print(f"{len(truth)} windows of {horizon} periods, {np.sum(~np.isnan(truth))} values")
    print(f"seasonal naive            RMSE {rmse(seasonal, truth):.4f}")

    def ridge(alpha, begin, end):
        a, s, t = series.windows(begin, end)
        whole = ~np.isnan(t).any(1)
        scale = np.maximum(a[whole].std(0), 1e-9)
        model = Ridge(alpha=alpha).fit(a[whole] / scale, (t - s)[whole])
        return lambda x, s: s + model.predict(x / scale)

    vx, vs, vt = series.windows(train, valid)
    alpha = min((0.1, 1, 10, 100, 300, 1000, 3000, 10000), key=lambda alpha: rmse(ridge(alpha, 0, train)(vx, vs), vt))
    peers = {"ridge, trained alike": ridge(alpha, 0, train)(x, seasonal), "ridge, with validation": ridge(alpha, 0, valid)(x, seasonal)}
    for name, forecast in peers.items():
        print(f"{name:<25} RMSE {rmse(forecast, truth):.4f}  (alpha {alpha:g})")
    ours = []
    for run in runs:
        found = json.loads((run / "forecasts.json").read_text())
        forecast = np.array(found["forecasts"], float).reshape(-1, horizon)
        assert len(forecast) == len(truth), f"{run} has other windows"
        ours.append(forecast)
        reported = json.loads((run / "report.json").read_text())
        for name, value in (("this run", (reported["metrics"], forecast)), ("seasonal naive", (reported["baselines"]["seasonal naive"]["metrics"], seasonal))):
            assert abs(value[0]["rmse"]["value"] - rmse(value[1], truth)) < 1e-4 * rmse(seasonal, truth), f"{run}: the report's RMSE of {name} is another"
        print(f"danlu, {run.name:<18} RMSE {rmse(forecast, truth):.4f}")
    for name, forecast in [("seasonal naive", seasonal), *peers.items()]:
        print(f"danlu ({runs[0].name}) below {name}: {difference(forecast, ours[0], truth, horizon)}")


if __name__ == "__main__":
    main()
