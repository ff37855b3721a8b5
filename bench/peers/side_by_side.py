"""Steps of Danlu and of its peers in turn: each in a process of its own, asked for so many steps by a line on its standard input, which it answers with
the median of their times in microseconds and its peak memory in MB."""
import statistics
import subprocess
import sys
import time


def answer(step):
    """The peer's side: runs `step` as often as each line of standard input says."""
    import resource

    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            step()
            times.append((time.perf_counter() - start) * 1e6)
        print(statistics.median(times), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, flush=True)


class Process:
    def __init__(self, command, prefix, threads):
        self.prefix, self.times, self.memory = prefix, [], 0.0
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={"OMP_NUM_THREADS": str(threads), "PATH": "/usr/bin:/bin", "HOME": "/tmp"})

    def step(self, steps, keep=True):
        self.process.stdin.write(f"{self.prefix}{steps}\n")
        self.process.stdin.flush()
        time_us, self.memory = map(float, self.process.stdout.readline().split()[-2:])
        if keep:
            self.times.append(time_us)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(name, ours, theirs, steps, rounds, tokens, unit="tokens"):
    """`rounds` times `steps` steps of each, in turn; `theirs` are processes by name. Prints tokens (or other units of a step) a second, memory, and ratios, the last to the best peer."""
    everyone = [ours, *theirs.values()]
    for process in everyone:
        process.step(2, keep=False)
    for _ in range(rounds):
        for process in everyone:
            process.step(steps)
    print(f"{name}  danlu {tokens / statistics.median(ours.times) * 1e6:.0f} {unit}/s, peak {ours.memory:.0f} MB")
    for peer, process in theirs.items():
        ratio = statistics.median(t / o for t, o in zip(process.times, ours.times))
        print(f"{name}  torch {peer}: {tokens / statistics.median(process.times) * 1e6:.0f} {unit}/s, peak {process.memory:.0f} MB, ratio {ratio:.2f}")
    best = min(theirs.values(), key=lambda p: statistics.median(p.times))
    print(f"{name}  ratio to the best: {statistics.median(t / o for t, o in zip(best.times, ours.times)):.2f}", flush=True)
    for process in everyone:
        process.close()
