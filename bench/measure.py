"""Processes that are measured in turn, and what is made of their times."""
import contextlib
import json
import os
import resource
import selectors
import statistics
import subprocess
import sys
import tempfile
import time


class Missing(Exception):
    """A peer, or a setting of it, that is not to be had here."""


class Process:
    """A workload in a process of its own. It says what it is in a line of JSON; then for each line with a number it runs so many steps and answers with the
    median of their microseconds and its peak memory in MB."""

    def __init__(self, command, environment=None, patience=180):
        self.memory, self.patience = 0.0, patience
        self.errors = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
                                        env={**os.environ, **(environment or {})})
        self.about = json.loads(self._line())
        if "missing" in self.about:
            self.close()
            raise Missing(self.about["missing"])

    def _line(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            ready = selector.select(self.patience)
        line = self.process.stdout.readline() if ready else ""
        if not line.endswith("\n"):
            if not ready:
                self.process.kill()
            self.process.wait()
            self.errors.seek(0)
            last = (self.errors.read().strip().splitlines() or ["nothing"])[-1]
            self.close()
            raise Missing(f"no answer within {self.patience} s" if not ready else f"ended with {self.process.returncode}: {last[:200]}")
        return line

    def step_us(self, steps):
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        us, self.memory = map(float, self._line().split())
        return us

    def warm_up(self, seconds=0.5):
        """Steps until their time is known; returns it."""
        us = self.step_us(1)  # reserves, compiles
        start = time.monotonic()
        while True:
            us = self.step_us(max(1, min(50, int(0.1e6 / us))))
            if time.monotonic() - start >= seconds:
                return us

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def answer(step, about):
    """The peers' side of Process."""
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            step()
            times.append((time.perf_counter() - start) * 1e6)
        print(statistics.median(times), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, flush=True)


def alternate(processes, seconds, fewest=3, most=25, turn=0.4):
    """Rounds of all processes in turn, each long enough to be measured, for about so many seconds. Returns the times in microseconds of each: a list a process."""
    steps = [max(1, int(turn * 1e6 / p.warm_up())) for p in processes]
    times = [[] for _ in processes]
    start = time.monotonic()
    while len(times[0]) < fewest or (len(times[0]) < most and time.monotonic() - start < seconds):
        order = range(len(processes))
        for i in order if len(times[0]) % 2 == 0 else reversed(order):  # who goes first takes turns
            times[i].append(processes[i].step_us(steps[i]))
    return times


def quartiles(values):
    """Lower quartile, median, upper quartile."""
    if len(values) == 1:
        return (values[0],) * 3
    return tuple(statistics.quantiles(values, n=4, method="inclusive"))


def ratios(times, others):
    """Quartiles of others / times, round by round: what changes the whole machine between rounds drops out."""
    return quartiles([b / a for a, b in zip(times, others)])


def is_slower(times, base, tolerance=0.05):
    """Whether `times` are slower than `base` by more than the tolerance in the middle, and at all in three of four rounds."""
    low, middle, _ = ratios(base, times)
    return middle > 1 + tolerance and low > 1


def choose(settings, time_of):
    """The best of the settings, a dictionary of kinds and their values: one kind after another, the best so far kept. time_of(setting) raises Missing for one
    that is not to be had; the first of each kind is the usual one. Returns the settings tried with their times, best first."""
    tried, best = [], {kind: values[0] for kind, values in settings.items()}

    def attempt(setting):
        try:
            tried.append((time_of(setting), setting))
        except Missing:
            pass

    attempt(dict(best))
    for kind, values in settings.items():
        for value in values[1:]:
            attempt({**best, kind: value})
        if tried:
            best = dict(min(tried, key=lambda t: t[0])[1])
    return sorted(tried, key=lambda t: t[0])
