#!/usr/bin/env python3
"""Training steps of Danlu and of PyTorch (eager) side by side: same shapes, same threads, in turn, in one run.

    python3 bench/peers/train_step.py build/bench/bench/bench_train_step [--threads 2] [--rounds 9]

PyTorch runs every setting that its users would try (Adam plain and fused, images in both memory formats); the best of them,
by median, is the one that the ratio is taken with. Needs: pip install torch (a CPU build is enough).
"""
import argparse
import statistics
import subprocess
import time

import torch
from torch import nn
from torch.nn import functional

BATCH = 64
STEPS = {"mlp": 200, "cnn": 15, "resnet": 5}


def make_mlp():
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


def make_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(7 * 7 * 64, 128), nn.ReLU(), nn.Linear(128, 10))


def conv_norm(channels, filters, kernel, stride=1):
    return nn.Sequential(nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(filters))


class ResidualBlock(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.first, self.second = conv_norm(channels, filters, 3, stride), conv_norm(filters, filters, 3)
        self.shortcut = conv_norm(channels, filters, 1, stride) if channels != filters else nn.Identity()

    def forward(self, x):
        y = self.second(functional.relu(self.first(x), inplace=True))
        return functional.relu(y + self.shortcut(x), inplace=True)


def make_resnet():
    return nn.Sequential(conv_norm(1, 32, 3), nn.ReLU(inplace=True), ResidualBlock(32, 32, 1), ResidualBlock(32, 64, 2), ResidualBlock(64, 128, 2),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


class TorchJob:
    def __init__(self, name, fused, channels_last):
        model = {"mlp": make_mlp, "cnn": make_cnn, "resnet": make_resnet}[name]()
        x = torch.randn(BATCH, 784) if name == "mlp" else torch.randn(BATCH, 1, 28, 28)
        if channels_last:
            model = model.to(memory_format=torch.channels_last)
            x = x.to(memory_format=torch.channels_last)
        self.model, self.x, self.y = model, x, torch.randint(0, 10, (BATCH,))
        self.optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=fused)
        self.label = f"adam{' fused' if fused else ''}{', channels_last' if channels_last else ''}"

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(self.model(self.x), self.y).backward()
        self.optimizer.step()

    def median_us(self, steps):
        times = []
        for _ in range(steps):
            start = time.perf_counter()
            self.step()
            times.append((time.perf_counter() - start) * 1e6)
        return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="path of bench_train_step")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--models", nargs="+", default=list(STEPS))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    danlu = subprocess.Popen([args.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                             env={"OMP_NUM_THREADS": str(args.threads), "PATH": "/usr/bin:/bin"})

    def danlu_us(name):
        danlu.stdin.write(f"{name} {STEPS[name]}\n")
        danlu.stdin.flush()
        return float(danlu.stdout.readline().split()[1])

    print(f"torch {torch.__version__}, {args.threads} threads, median microseconds a step over {args.rounds} rounds in turn")
    for name in args.models:
        jobs = [TorchJob(name, fused, last) for last in ((False,) if name == "mlp" else (False, True)) for fused in (False, True)]
        for job in jobs:
            job.median_us(5)
        danlu_us(name)
        ours, theirs = [], {job.label: [] for job in jobs}
        for _ in range(args.rounds):
            ours.append(danlu_us(name))
            for job in jobs:
                theirs[job.label].append(job.median_us(STEPS[name]))
        median = statistics.median(ours)
        print(f"{name}  danlu {median:.0f} (rounds {min(ours):.0f} to {max(ours):.0f})")
        for label, values in theirs.items():
            ratios = [t / o for t, o in zip(values, ours)]
            print(f"{name}  torch {label}: {statistics.median(values):.0f}   ratio {statistics.median(ratios):.2f}")
        best = min(theirs, key=lambda label: statistics.median(theirs[label]))
        ratio = statistics.median(t / o for t, o in zip(theirs[best], ours))
        print(f"{name}  ratio to the best of torch ({best}): {ratio:.2f}")
    danlu.stdin.close()
    danlu.wait()


if __name__ == "__main__":
    main()
