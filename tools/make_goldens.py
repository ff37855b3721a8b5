#!/usr/bin/env python3
"""Writes tests/golden/{mlp,cnn}.safetensors: what PyTorch computes for one small network of each kind.

    python3 tools/make_goldens.py tests/golden        (needs: pip install torch safetensors numpy)

Each file holds the input `x` and labels `y`, the parameters before training (`initial.NAME`), the loss (`loss`) and every
gradient (`gradient.NAME`) of the first step, the loss of each of ten Adam steps (`losses`), and the parameters after them
(`final.NAME`). Names are those of danlu's modules. Images are stored as danlu takes them, (N, H, W, C), and the first linear
layer after the flattening has its columns in that order too.
"""
import pathlib
import sys

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

STEPS = 10


class FlattenChannelsLast(nn.Module):
    """Flattens in (H, W, C) order."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


def mlp():
    return nn.Sequential(nn.Linear(13, 17), nn.ReLU(), nn.Linear(17, 9), nn.Tanh(), nn.Linear(9, 5)), torch.randn(11, 13), 5


def cnn():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 12, 3, stride=2, padding=1, groups=4), nn.ReLU(), nn.AvgPool2d(2),
        FlattenChannelsLast(), nn.Linear(2 * 2 * 12, 10), nn.GELU(), nn.Linear(10, 4))
    return model, torch.randn(6, 3, 17, 17), 4


def write(path, network, x, classes):
    y = torch.randint(0, classes, (x.shape[0],))
    out = {"x": x.permute(0, 2, 3, 1).contiguous() if x.dim() == 4 else x, "y": y}
    for name, p in network.named_parameters():
        out[f"initial.{name}"] = p.detach().clone()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(x), y)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            out["loss"] = loss.detach().reshape(1)
            for name, p in network.named_parameters():
                out[f"gradient.{name}"] = p.grad.clone()
        optimizer.step()
    out["losses"] = torch.tensor(losses)
    for name, p in network.named_parameters():
        out[f"final.{name}"] = p.detach().clone()
    for name, b in network.named_buffers():
        if b.is_floating_point():
            out[f"final.{name}"] = b.clone()
    save_file({k: v.contiguous() for k, v in out.items()}, path, metadata={"torch": torch.__version__})
    print(path, "loss", losses[0], "->", losses[-1])


def main():
    folder = pathlib.Path(sys.argv[1])
    torch.manual_seed(20261123)
    for name, make in (("mlp", mlp), ("cnn", cnn)):
        write(folder / f"{name}.safetensors", *make())


if __name__ == "__main__":
    main()
