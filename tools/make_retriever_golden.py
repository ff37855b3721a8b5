#!/usr/bin/env python3
"""Writes tests/golden/retriever.safetensors: what PyTorch computes for a small retriever and its contrastive loss.

    python3 tools/make_retriever_golden.py tests/golden        (needs: pip install torch safetensors)

The file is like those of make_recommender_goldens.py, with samples of danlu's PairDataset: x is pairs of texts, y their groups, of which
two are the same.
"""
import pathlib
import sys

import torch
from make_recommender_goldens import write
from torch import nn
from torch.nn import functional

VOCABULARY, WIDTH, DIMENSION, LENGTH, TEMPERATURE = 19, 6, 5, 8, 0.1


class BagOfTokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.head = nn.Embedding(VOCABULARY, WIDTH), nn.Linear(WIDTH, DIMENSION)

    def forward(self, ids):
        there = (ids != 0)[..., None]
        return self.head((self.tokens(ids) * there).sum(1) / there.sum(1))


class Retriever(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = BagOfTokens()

    def forward(self, x):
        return functional.normalize(self.encoder(x[:, 0]), dim=-1), functional.normalize(self.encoder(x[:, 1]), dim=-1)


def contrastive(first, second, groups):
    scores = first @ second.T / TEMPERATURE
    same = (groups[:, None] == groups[None]) & ~torch.eye(len(groups), dtype=bool)
    scores = scores.masked_fill(same, float("-inf"))
    target = torch.arange(len(groups))
    return (functional.cross_entropy(scores, target) + functional.cross_entropy(scores.T, target)) / 2


def main():
    torch.manual_seed(20261129)
    lengths = [(3, 8), (1, 5), (4, 2), (2, 7), (5, 6)]
    x = torch.zeros(len(lengths), 2, LENGTH, dtype=torch.long)
    for row, pair in enumerate(lengths):
        for half, length in enumerate(pair):
            x[row, half, :length] = torch.randint(1, VOCABULARY, (length,))
    write(pathlib.Path(sys.argv[1]) / "retriever.safetensors", Retriever(), x, torch.tensor([0, 1, 2, 1, 3]), contrastive)


if __name__ == "__main__":
    main()
