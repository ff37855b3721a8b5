#!/usr/bin/env python3
"""Writes tests/golden/forecast_{mlp,lstm,gru}.safetensors: what PyTorch computes for small forecasters.

    python3 tools/make_forecast_goldens.py tests/golden        (needs: pip install torch safetensors)

The files are those of make_goldens.py, with samples of danlu's SeriesDataset: x is (N, periods, channels), y (N, horizon) with NaN where nothing was
measured, which counts in no loss.
"""
import pathlib
import sys

import torch
from make_recommender_goldens import write
from torch import nn

N, PERIODS, CHANNELS, HORIZON = 5, 9, 3, 4


class Ensemble(nn.Module):
    """Two perceptrons that learn side by side."""

    def __init__(self):
        super().__init__()
        for member in "01":
            self.add_module(member, nn.Sequential(nn.Flatten(), nn.Linear(PERIODS * CHANNELS, 6), nn.ReLU(), nn.Linear(6, HORIZON)))

    def forward(self, x):
        return [torch.cat([member(x) for member in self.children()])]


class Recurrent(nn.Module):
    def __init__(self, kind, pooling, bidirectional):
        super().__init__()
        self.pooling = pooling
        self.layers = kind(CHANNELS, 5, num_layers=2, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(10 if bidirectional else 5, HORIZON)

    def forward(self, x):
        y, _ = self.layers(x)
        return [self.head(y.mean(1) if self.pooling == "mean" else y[:, -1])]


def masked(loss):
    def of(outputs, y):
        y = y.repeat(len(outputs) // len(y), 1)
        return loss((outputs - y)[~torch.isnan(y)]).mean()
    return of


def main():
    folder = pathlib.Path(sys.argv[1])
    torch.manual_seed(20261129)
    x, y = torch.randn(N, PERIODS, CHANNELS), torch.randn(N, HORIZON)
    y[0, 1] = y[3, :2] = torch.nan
    write(folder / "forecast_mlp.safetensors", Ensemble(), x, y, masked(torch.square))
    write(folder / "forecast_lstm.safetensors", Recurrent(nn.LSTM, "last", False), x, y, masked(torch.abs))
    write(folder / "forecast_gru.safetensors", Recurrent(nn.GRU, "mean", True), x, y, masked(torch.square))


if __name__ == "__main__":
    main()
