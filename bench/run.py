#!/usr/bin/env python3
"""Danlu and its peers on the same workloads, in turn, in one run: see docs/howto/benchmark.md.

    make bench [WORKLOADS="mlp lstm*"] [THREADS=2] [FOREIGN_LOAD=1] [BASE=revision] [PYTHON=python3]
    bench/run.py WORKLOAD... [--threads 2] [--seconds 12] [--foreign-load] [--base REVISION]
"""
import argparse
import datetime
import json
import os
import pathlib
import signal
import subprocess
import sys

import base
import inputs
import machine
import measure
import results
import workloads

SOURCE = pathlib.Path(__file__).resolve().parent.parent


def our_revision():
    git = lambda *words: subprocess.run(["git", "-C", str(SOURCE), *words], capture_output=True, text=True).stdout.strip()  # noqa: E731
    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + ("+" if git("status", "--porcelain", "--untracked-files=no", "--", "danlu") else "")


class Stranger:
    """A process that burns one core while it is let."""

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        self.rest()
        return self

    def burn(self):
        self.process.send_signal(signal.SIGCONT)

    def rest(self):
        self.process.send_signal(signal.SIGSTOP)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Bench:
    def __init__(self, arguments):
        self.program = arguments.build / "bench" / "bench_danlu"
        self.folder = arguments.build / "inputs"
        self.seconds, self.python, self.foreign_load = arguments.seconds, arguments.python, arguments.foreign_load
        threads = str(arguments.threads)
        common = {"OMP_NUM_THREADS": threads}
        # As the program does for itself: danlu/app/cli/spin_limit.h.
        self.our_environment = {**common, "GOMP_SPINCOUNT": "5000"}
        self.peer_environment = {**common, "MKL_NUM_THREADS": threads, "TORCHINDUCTOR_CACHE_DIR": str(arguments.build / "inductor")}

    def ours(self, workload, files, missing):
        processes = {}
        for precision in workloads.OUR_PRECISIONS:
            if precision != "f32" and workload.kind not in ("training", "inference"):
                continue
            try:
                processes[precision] = measure.Process([self.program, workload.name, precision, *files], self.our_environment)
            except measure.Missing as reason:  # bf16 that the processor lacks
                if precision == "f32":
                    raise
                missing.append(f"{workload.name}: ours, {precision}: {reason}")
        return processes

    def best_of_peer(self, workload, files, missing, keep=2):
        """The processes of its best settings, tried one after another. Those that lose are ended at once, for their memory."""
        command = workloads.peer_command(workload.peer, self.python, SOURCE / "bench") if workload.peer else None
        if not command:
            if workload.peer:
                missing.append(f"{workload.peer} is not installed")
            return []
        alive = []  # (microseconds, setting, process)

        def time_of(setting):
            try:
                process = measure.Process([*command, workload.name, json.dumps(setting), *files], self.peer_environment)
                us = process.warm_up()
            except measure.Missing as reason:
                said = str(reason) if "not installed" in str(reason) else f"{workload.name} {' '.join(setting.values())}: {reason}"
                if said not in missing:
                    missing.append(said)
                raise
            alive.append((us, setting, process))
            alive.sort(key=lambda a: a[0])
            for loser in alive[keep:]:
                loser[2].close()
            del alive[keep:]
            return us

        self.tried = measure.choose(workload.settings, time_of)
        return alive

    def run(self, workload, facts):
        """A row of the result."""
        files, amount = inputs.prepare(workload, self.folder, SOURCE, self.program)
        missing = []
        peers = self.best_of_peer(workload, files, missing)
        ours = self.ours(workload, files, missing)
        try:
            times = measure.alternate([*ours.values(), *(process for _, _, process in peers)], self.seconds)
            middle = [measure.quartiles(t)[1] for t in times]
            best = min(range(len(ours)), key=middle.__getitem__)
            precision, process = list(ours.items())[best]
            share = lambda precision, us: machine.limit_us(workload.work, facts, precision) / us if workload.work else None  # noqa: E731
            row = {"workload": workload.name, "kind": workload.kind, "unit": workload.unit, "amount": amount, "rounds": len(times[0]),
                   "limit_us": machine.limit_us(workload.work, facts, precision) if workload.work else None, "work": vars(workload.work) if workload.work else None,
                   "ours": {"precision": precision, "us": middle[best], "memory_mb": process.memory, "roofline": share(precision, middle[best]),
                            "all_us": dict(zip(ours, middle))},
                   "peer": None, "ratio": None, "missing": missing}
            if peers:
                winner = min(range(len(ours), len(times)), key=middle.__getitem__)
                _, setting, other = peers[winner - len(ours)]
                row["peer"] = {"version": other.about["version"], "setting": setting, "us": middle[winner], "memory_mb": other.memory,
                               "roofline": share(setting.get("precision", "f32"), middle[winner]), "tried": [{"us": us, "setting": s} for us, s in self.tried]}
                row["ratio"] = measure.ratios(times[best], times[winner])
                if other.about.get("items") and other.about["items"] != process.about["items"]:
                    missing.append(f"{workload.name}: {process.about['items']} items of ours and {other.about['items']} of {other.about['version']}")
            if self.foreign_load and workload.kind == "training":
                row["foreign_load"] = {"ours": self.slowdown(process), "peer": self.slowdown(other) if peers else None}
            return row
        finally:
            for process in (*ours.values(), *(p for _, _, p in peers)):
                process.close()

    def slowdown(self, process):
        """Quartiles of the time of a step beside a stranger by that without, round by round."""
        alone, beside = [], []
        with Stranger() as stranger:
            stranger.burn()
            loaded_us = process.step_us(1)
            stranger.rest()
            steps = max(1, int(0.5e6 / max(loaded_us, process.step_us(1))))
            for _ in range(5):
                alone.append(process.step_us(steps))
                stranger.burn()
                beside.append(process.step_us(steps))
                stranger.rest()
        return measure.ratios(alone, beside)


def parse(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", help="names, patterns, or training, inference, generation, data; default: all")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of ours and of the peers; default: all processors")
    parser.add_argument("--seconds", type=float, default=12, help="of rounds for each workload; choosing the peer's settings comes before")
    parser.add_argument("--foreign-load", action="store_true", help="also what training steps lose beside a process that burns one core")
    parser.add_argument("--base", metavar="REVISION", help="compare our workloads with those of another revision instead; 1 if any is slower by more than 5 %%")
    parser.add_argument("--python", default=sys.executable, help="that the peers are installed for")
    parser.add_argument("--build", type=pathlib.Path, default=SOURCE / "build" / "bench", help="directory of our build")
    parser.add_argument("--results", type=pathlib.Path, default=SOURCE / "bench" / "results")
    arguments = parser.parse_args(words)
    try:
        arguments.chosen = workloads.select(arguments.workloads)
    except ValueError as error:
        parser.error(str(error))
    processors = sorted(os.sched_getaffinity(0))
    if not 1 <= arguments.threads <= len(processors):
        parser.error(f"got {arguments.threads} threads; expected 1 to {len(processors)}, the processors of this process")
    arguments.build = arguments.build.resolve()
    return arguments


def main():
    arguments = parse(sys.argv[1:])
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:arguments.threads])  # everyone below inherits it
    bench = Bench(arguments)
    if not bench.program.exists():
        sys.exit(f"got no {bench.program}; expected it built: make bench does that")
    if arguments.base:
        slower = base.compare(arguments.chosen, bench.program, base.build(SOURCE, arguments.base), "f32", bench.folder, SOURCE, bench.our_environment, arguments.seconds)
        print(f"slower than {arguments.base}: {', '.join(slower) or 'nothing'}")
        return 1 if slower else 0
    facts = machine.facts(arguments.build / "danlu", arguments.threads)
    for name, peak in facts["peaks"].items():
        print(f"{name:<22}{peak['value']:10.1f} {peak['unit']}")
    result = {"date": datetime.date.today().isoformat(), "danlu": our_revision(), "machine": facts, "rows": []}
    order = [w.name for w in workloads.WORKLOADS]
    path = None
    failed = False
    for workload in arguments.chosen:
        try:
            row = bench.run(workload, facts)
        except measure.Missing as reason:
            print(f"{workload.name}: ours {reason}", file=sys.stderr)
            failed = True
            continue
        for absent in row["missing"]:
            print(f"  {absent}")
        print(" | ".join(filter(None, results.cells(row))), flush=True)
        if row.get("foreign_load"):
            print("  beside a stranger: " + ", ".join(f"{who} {f[1]:.2f} times" for who, f in row["foreign_load"].items() if f), flush=True)
        result["rows"].append(row)
        path = results.write(arguments.results, result, order)
    if path:
        print(f"written: {path} and the .json beside it")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
