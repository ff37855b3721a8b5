#!/usr/bin/env python3
"""TPE against random search on a recipe, at the same number of trials: the best validation loss found, mean of some seeds.

    python3 bench/tune/tpe_and_random.py build/release/danlu medical
    python3 bench/tune/tpe_and_random.py build/release/danlu fashion --images 3000 --epochs 4

Both begin with the same points at random (tune.tpe.startup), so that what differs is what TPE chooses after them. Fashion-MNIST is cut
down to its first images, so that it takes minutes; 0 keeps all. Runs go to a temporary directory; --runs /dev/shm/tune keeps them in memory.
"""
import argparse
import gzip
import json
import os
import pathlib
import shutil
import statistics
import struct
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def cut(source, target, count):
    """The first `count` images of each part of an IDX folder."""
    target.mkdir()
    for file in source.glob("*.gz"):
        data = gzip.decompress(file.read_bytes())
        part = count if file.name.startswith("train") else max(count // 6, 100)
        dimensions = data[3]
        head = 4 + 4 * dimensions
        item = 1
        for i in range(1, dimensions):
            item *= struct.unpack_from(">I", data, 4 + 4 * i)[0]
        bytes_cut = data[:4] + struct.pack(">I", part) + data[8 : head + part * item]
        (target / file.name).write_bytes(gzip.compress(bytes_cut, 1))


def best_so_far(danlu, recipe, overrides, method, seed, trials, runs):
    command = [danlu, "tune", recipe, "--method", method, "--trials", str(trials), "--runs", runs, "-q", "--fresh", f"tune.seed={seed}", "tune.trial={}", *overrides]
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    name = pathlib.Path(recipe).stem
    results = json.loads((pathlib.Path(runs) / f"{name}-tune/tune.json").read_text())
    best, curve = float("inf"), []
    for trial in results["trials"]:
        if trial["value"] is not None and trial["state"] == "finished":
            best = min(best, trial["value"])
        curve.append(best)
    return curve


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("danlu")
    parser.add_argument("recipe", choices=["medical", "fashion"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--runs", help="default: a temporary directory")
    arguments = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(dir=arguments.runs))
    try:
        if arguments.recipe == "medical":
            overrides = ["data.split.validation=0.25", "evaluate.kfold.folds=0"]
        else:
            overrides = [f"train.epochs={arguments.epochs}", "data.split.validation=0.25"]
            if arguments.images:
                home = pathlib.Path(os.environ.get("DANLU_DATA", pathlib.Path.home() / ".cache/danlu"))
                cut(home / "fashion-mnist", work / "images", arguments.images)
                overrides.append(f"data.source={work / 'images'}")
        curves = {method: [] for method in ("tpe", "random")}
        for seed in range(1, arguments.seeds + 1):
            for method, all_curves in curves.items():
                all_curves.append(best_so_far(arguments.danlu, ROOT / f"recipes/{arguments.recipe}.yaml", overrides, method, seed, arguments.trials, work / "runs"))
                print(f"seed {seed}  {method:6}  {all_curves[-1][-1]:.5f}", flush=True)
        print(f"\nbest validation loss, mean of {arguments.seeds} seeds\ntrials     tpe   random   tpe is better in")
        for n in sorted({10, 15, 20, 30, arguments.trials}):
            if n > arguments.trials:
                continue
            tpe, random = ([curve[n - 1] for curve in curves[method]] for method in ("tpe", "random"))
            wins = sum(a < b for a, b in zip(tpe, random))
            ties = sum(a == b for a, b in zip(tpe, random))
            print(f"{n:6}  {statistics.mean(tpe):.5f}  {statistics.mean(random):.5f}   {wins} of {arguments.seeds}, {ties} the same")
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
