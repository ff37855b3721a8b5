#!/usr/bin/env python3
"""Writes tests/golden/{factorization,two_tower,sequential_gru,sequential_lstm,sequential_transformer}.safetensors: what PyTorch computes for small recommenders.

    python3 tools/make_recommender_goldens.py tests/golden        (needs: pip install torch safetensors)

The files are those of make_goldens.py, with samples of danlu's InteractionDataset: x is the user and the items before, y the item to foretell and
items drawn against it, -1 where there is none. Each model has another loss: bpr, sampled softmax, softmax.
"""
import pathlib
import sys

import torch
from make_goldens import EncoderBlock
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

STEPS, USERS, ITEMS, WIDTH, LENGTH = 10, 5, 11, 6, 7


def mean_of_vectors(ids, vectors):
    there = ids != 0
    return (vectors(ids) * there[..., None]).sum(1) / there.sum(1, keepdim=True).clamp(min=1)


def scores(queries, items, y):
    """Of the item to foretell and those drawn, where there is something to foretell."""
    counts = y[..., 0] >= 0
    return torch.einsum("md,msd->ms", queries[counts], items[y[counts]])


def bpr(queries, items, y):
    s = scores(queries, items, y)
    return -functional.logsigmoid(s[:, :1] - s[:, 1:]).mean()


def sampled_softmax(queries, items, y):
    s = scores(queries, items, y)
    return functional.cross_entropy(s, torch.zeros(len(s), dtype=torch.long))


def softmax(queries, items, y):
    counts = y[..., 0] >= 0
    return functional.cross_entropy(queries[counts] @ items.T, y[counts][:, 0])


class Recommender(nn.Module):
    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(0.1 * torch.randn(ITEMS))

    def with_bias(self, items):
        return torch.cat([items, self.bias[:, None]], 1)

    @staticmethod
    def with_one(queries):
        return torch.cat([queries, torch.ones(*queries.shape[:-1], 1)], -1)


class Factorization(Recommender):
    def __init__(self):
        super().__init__()
        self.users, self.items = nn.Embedding(USERS, WIDTH), nn.Embedding(ITEMS, WIDTH)

    def forward(self, x):
        return self.with_one(self.users(x[:, 0] - 1))[:, None], self.with_bias(self.items.weight)


class TwoTower(Recommender):
    """Users have one feature of two, items one or two of three."""

    USER_FEATURES = torch.tensor([[0]] + [[1 + user % 2] for user in range(USERS)])
    ITEM_FEATURES = torch.tensor([[1 + item % 3, 1 + (item + 1) % 3 if item % 2 else 0] for item in range(ITEMS)])

    def __init__(self, hidden=8):
        super().__init__()
        self.users, self.items, self.met = nn.Embedding(1 + USERS, WIDTH), nn.Embedding(ITEMS, WIDTH), nn.Embedding(1 + ITEMS, WIDTH)
        self.user_features, self.item_features = nn.Embedding(3, WIDTH), nn.Embedding(4, WIDTH)
        self.user_tower = nn.Sequential(nn.Linear(WIDTH, hidden), nn.ReLU(), nn.Linear(hidden, WIDTH))
        self.item_tower = nn.Sequential(nn.Linear(WIDTH, hidden), nn.ReLU(), nn.Linear(hidden, WIDTH))

    def forward(self, x):
        user = self.users(x[:, 0]) + mean_of_vectors(x[:, 1:], self.met) + mean_of_vectors(self.USER_FEATURES[x[:, 0]], self.user_features)
        item = self.items.weight + mean_of_vectors(self.ITEM_FEATURES, self.item_features)
        return self.with_one(self.user_tower(user))[:, None], self.with_bias(self.item_tower(item))


class CausalBlock(EncoderBlock):
    def forward(self, x, heads):
        n, t, c = x.shape
        q, k, v = (a.view(n, t, heads, -1).transpose(1, 2) for a in self.qkv(self.attention_norm(x)).chunk(3, -1))
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.projection(mixed.transpose(1, 2).reshape(n, t, c))
        return x + self.down(functional.gelu(self.up(self.ffn_norm(x))))


class CausalEncoder(nn.Module):
    def __init__(self, heads=2):
        super().__init__()
        self.blocks, self.norm, self.heads = nn.ModuleList(CausalBlock(WIDTH, 4 * WIDTH) for _ in range(2)), nn.LayerNorm(WIDTH), heads

    def forward(self, x):
        for block in self.blocks:
            x = block(x, self.heads)
        return self.norm(x)


class Sequential(Recommender):
    def __init__(self, layer):
        super().__init__()
        self.items = nn.Embedding(1 + ITEMS, WIDTH)
        if layer == "transformer":
            self.positions, self.encoder = nn.Embedding(LENGTH, WIDTH), CausalEncoder()
        else:
            self.recurrent = (nn.GRU if layer == "gru" else nn.LSTM)(WIDTH, WIDTH, 2, batch_first=True)

    def forward(self, x):
        vectors = self.items(x[:, 1:])
        if hasattr(self, "encoder"):
            queries = self.encoder(vectors + self.positions(torch.arange(LENGTH)))
        else:
            queries = self.recurrent(vectors)[0]  # what comes behind the end has no target
        return self.with_one(queries), self.with_bias(self.items.weight[1:])


def histories(lengths):
    """x and y of sequences that foretell every position, with two items drawn for each."""
    x, y = torch.zeros(len(lengths), 1 + LENGTH, dtype=torch.long), torch.full((len(lengths), LENGTH, 3), -1)
    for row, length in enumerate(lengths):
        items = torch.randint(0, ITEMS, (length + 1,))
        x[row, 0] = 1 + row % USERS
        x[row, 1:1 + length] = items[:-1] + 1
        y[row, :length, 0] = items[1:]
        y[row, :length, 1:] = torch.randint(0, ITEMS, (length, 2))
    return x, y


def single_targets(lengths):
    x, y = histories(lengths)
    return x, y[:, :1]


def write(path, network, x, y, loss_of):
    out = {"x": x, "y": y}
    out |= {f"initial.{name}": p.detach().clone() for name, p in network.named_parameters()}
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2, eps=1e-3)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(*network(x), y)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            out["loss"] = loss.detach().reshape(1)
            out |= {f"gradient.{name}": p.grad.clone() for name, p in network.named_parameters()}
        optimizer.step()
    out["losses"] = torch.tensor(losses)
    out |= {f"final.{name}": p.detach().clone() for name, p in network.named_parameters()}
    save_file({k: v.contiguous() for k, v in out.items()}, path, metadata={"torch": torch.__version__})
    print(path, "loss", losses[0], "->", losses[-1])


def main():
    folder = pathlib.Path(sys.argv[1])
    torch.manual_seed(20261124)
    x, y = single_targets([7, 3, 5, 1, 6, 2])
    write(folder / "factorization.safetensors", Factorization(), x[:, :1], y, bpr)
    write(folder / "two_tower.safetensors", TwoTower(), x, y, sampled_softmax)
    for layer, loss_of in (("gru", softmax), ("lstm", bpr), ("transformer", sampled_softmax)):
        write(folder / f"sequential_{layer}.safetensors", Sequential(layer), *histories([7, 3, 5, 1]), loss_of)


if __name__ == "__main__":
    main()
