#!/usr/bin/env python3
"""Writes tests/golden/{mlp,cnn,gpt2,llama,qwen3,rnn,lstm,gru,encoder,resnet,mobilenet,vgg,vit,masked_encoder}.safetensors: what PyTorch computes for one small network of each kind.

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


class Gpt(nn.Module):
    """A decoder with the parameters, and their names, of danlu's models::Gpt."""
    tells_tokens = True

    def __init__(self, family, layers=2, heads=4, kv_heads=2, width=24, hidden=40, context=9, vocabulary=31):
        super().__init__()
        gpt2 = family == "gpt2"
        if gpt2:
            kv_heads = heads
        self.family, self.layers, self.heads, self.kv_heads, self.dim = family, layers, heads, kv_heads, width // heads

        def add(name, *shape, around=0.0):
            self.register_parameter(name.replace(".", "/"), nn.Parameter(around + 0.2 * torch.randn(*shape)))

        def dense(name, n_in, n_out, bias):
            add(f"{name}.weight", n_out, n_in)
            if bias:
                add(f"{name}.bias", n_out)

        def norm(name, size):
            add(f"{name}.weight", size, around=1.0)
            if gpt2:
                add(f"{name}.bias", size)

        add("token_embedding", vocabulary, width)
        if gpt2:
            add("position_embedding", context, width)
        for i in range(layers):
            b = f"blocks.{i}."
            norm(b + "attention_norm", width)
            dense(b + "qkv", width, (heads + 2 * kv_heads) * self.dim, gpt2)
            if family == "qwen3":
                norm(b + "query_norm", self.dim)
                norm(b + "key_norm", self.dim)
            dense(b + "projection", width, width, gpt2)
            norm(b + "ffn_norm", width)
            dense(b + "up", width, hidden if gpt2 else 2 * hidden, gpt2)
            dense(b + "down", hidden, width, gpt2)
        norm("final_norm", width)
        if not gpt2:
            add("head.weight", vocabulary, width)

    def get(self, name):
        return self._parameters.get(name.replace(".", "/"))

    def norm(self, name, x):
        weight, bias = self.get(f"{name}.weight"), self.get(f"{name}.bias")
        if self.family == "gpt2":
            return functional.layer_norm(x, (x.shape[-1],), weight, bias, 1e-5)
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * weight

    def dense(self, name, x):
        return functional.linear(x, self.get(f"{name}.weight"), self.get(f"{name}.bias"))

    def rope(self, x):  # (N, heads, T, dim)
        frequencies = 10000.0 ** (-torch.arange(0, self.dim, 2) / self.dim)
        angles = torch.arange(x.shape[2])[:, None] * frequencies
        cos, sin = angles.cos(), angles.sin()
        a, b = x.chunk(2, -1)
        return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)

    def forward(self, ids):
        n, t = ids.shape
        x = self.get("token_embedding")[ids]
        if self.family == "gpt2":
            x = x + self.get("position_embedding")[:t]
        for i in range(self.layers):
            b = f"blocks.{i}."
            qkv = self.dense(b + "qkv", self.norm(b + "attention_norm", x))
            q, k, v = qkv.split([self.heads * self.dim, self.kv_heads * self.dim, self.kv_heads * self.dim], -1)
            q, k, v = (a.view(n, t, -1, self.dim).transpose(1, 2) for a in (q, k, v))
            if self.family == "qwen3":
                q, k = self.norm(b + "query_norm", q), self.norm(b + "key_norm", k)
            if self.family != "gpt2":
                q, k = self.rope(q), self.rope(k)
            k, v = (a.repeat_interleave(self.heads // self.kv_heads, 1) for a in (k, v))
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(n, t, -1)
            x = x + self.dense(b + "projection", mixed)
            up = self.dense(b + "up", self.norm(b + "ffn_norm", x))
            if self.family == "gpt2":
                up = functional.gelu(up, approximate="tanh")
            else:
                gate, value = up.chunk(2, -1)
                up = functional.silu(gate) * value
            x = x + self.dense(b + "down", up)
        head = self.get("token_embedding") if self.family == "gpt2" else self.get("head.weight")
        return functional.linear(self.norm("final_norm", x), head)


def gpt(family):
    ids = torch.randint(0, 31, (3, 9))
    return Gpt(family), ids, 31


def padded_ids(vocabulary, lengths):
    """Texts of different lengths, padded behind with 0."""
    ids = torch.zeros(len(lengths), max(lengths), dtype=torch.long)
    for row, length in zip(ids, lengths):
        row[:length] = torch.randint(1, vocabulary, (length,))
    return ids


class TextClassifier(nn.Module):
    """Embedding, recurrent layers over the tokens that are no padding, their mean or the last states, a head."""

    def __init__(self, cell, pooling, bidirectional, width=6, hidden=7, classes=3, vocabulary=19):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.layers = cell(width, hidden, 2, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(hidden * (2 if bidirectional else 1), classes)
        self.pooling, self.hidden = pooling, hidden

    def forward(self, ids):
        lengths = (ids != 0).sum(1)
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(ids), lengths, batch_first=True, enforce_sorted=False)
        y, _ = nn.utils.rnn.pad_packed_sequence(self.layers(packed)[0], batch_first=True)
        if self.pooling == "mean":
            return self.head(y.sum(1) / lengths[:, None])
        rows = torch.arange(len(ids))
        return self.head(torch.cat([y[rows, lengths - 1, :self.hidden], y[:, 0, self.hidden:]], 1))


class EncoderBlock(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.attention_norm, self.qkv, self.projection = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.ffn_norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x, mask, heads):
        n, t, c = x.shape
        q, k, v = (a.view(n, t, heads, -1).transpose(1, 2) for a in self.qkv(self.attention_norm(x)).chunk(3, -1))
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        x = x + self.projection(mixed.transpose(1, 2).reshape(n, t, c))
        return x + self.down(functional.gelu(self.up(self.ffn_norm(x))))


class TransformerEncoder(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.blocks, self.norm, self.heads = nn.ModuleList(EncoderBlock(width, hidden) for _ in range(2)), nn.LayerNorm(width), heads

    def forward(self, x, mask):
        for block in self.blocks:
            x = block(x, mask, self.heads)
        return self.norm(x)


class Encoder(nn.Module):
    def __init__(self, width=12, heads=3, hidden=20, classes=3, vocabulary=19, length=8):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.encoder, self.head = TransformerEncoder(width, heads, hidden), nn.Linear(width, classes)

    def forward(self, ids):
        mask = ids != 0
        x = self.encoder(self.tokens(ids) + self.positions(torch.arange(ids.shape[1])), mask) * mask[..., None]
        return self.head(x.sum(1) / mask.sum(1, keepdim=True))


class MaskedEncoder(nn.Module):
    tells_tokens = True

    def __init__(self, width=12, heads=3, hidden=20, vocabulary=19, length=8):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.encoder = TransformerEncoder(width, heads, hidden)
        self.transform, self.transform_norm = nn.Linear(width, width), nn.LayerNorm(width)

    def forward(self, ids):
        x = self.encoder(self.tokens(ids) + self.positions(torch.arange(ids.shape[1])), ids != 0)
        return functional.linear(self.transform_norm(functional.gelu(self.transform(x))), self.tokens.weight)


class ConvNorm(nn.Module):
    def __init__(self, channels, filters, kernel, stride=1, groups=1):
        super().__init__()
        self.conv = nn.Conv2d(channels, filters, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(filters)

    def forward(self, x):
        return self.norm(self.conv(x))


class ResidualBlock(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.first, self.second = ConvNorm(channels, filters, 3, stride), ConvNorm(filters, filters, 3)
        self.shortcut = ConvNorm(channels, filters, 1, stride) if stride != 1 or channels != filters else nn.Identity()

    def forward(self, x):
        return functional.relu(self.second(functional.relu(self.first(x))) + self.shortcut(x))


class InvertedResidual(nn.Module):
    def __init__(self, channels, filters, stride, expansion):
        super().__init__()
        inside = channels * expansion
        self.expand, self.depthwise = ConvNorm(channels, inside, 1), ConvNorm(inside, inside, 3, stride, inside)
        self.project, self.shortcut = ConvNorm(inside, filters, 1), stride == 1 and channels == filters

    def forward(self, x):
        y = self.project(functional.relu(self.depthwise(functional.relu(self.expand(x)))))
        return x + y if self.shortcut else y


class ResNet(nn.Module):
    def __init__(self, channels=3, width=4, classes=5):
        super().__init__()
        self.stem = ConvNorm(channels, width, 3)
        self.stages = nn.ModuleList([nn.ModuleList([ResidualBlock(width, width, 1)]),
                                     nn.ModuleList([ResidualBlock(width, 2 * width, 2), ResidualBlock(2 * width, 2 * width, 1)])])
        self.head = nn.Linear(2 * width, classes)

    def forward(self, x):
        x = functional.relu(self.stem(x))
        for stage in self.stages:
            for block in stage:
                x = block(x)
        return self.head(x.mean((2, 3)))


class MobileNet(nn.Module):
    def __init__(self, channels=3, width=4, classes=5, expansion=3):
        super().__init__()
        self.stem = ConvNorm(channels, width, 3)
        self.stages = nn.ModuleList([nn.ModuleList([InvertedResidual(width, width, 1, expansion)]),
                                     nn.ModuleList([InvertedResidual(width, 2 * width, 2, expansion), InvertedResidual(2 * width, 2 * width, 1, expansion)])])
        self.last, self.head = ConvNorm(2 * width, 8 * width, 1), nn.Linear(8 * width, classes)

    def forward(self, x):
        x = functional.relu(self.stem(x))
        for stage in self.stages:
            for block in stage:
                x = block(x)
        return self.head(functional.relu(self.last(x)).mean((2, 3)))


class Vgg(nn.Module):
    def __init__(self, channels=3, width=4, hidden=6, classes=5, size=10):
        super().__init__()
        self.stages = nn.ModuleList([nn.ModuleList([ConvNorm(channels, width, 3)]),
                                     nn.ModuleList([ConvNorm(width, 2 * width, 3), ConvNorm(2 * width, 2 * width, 3)])])
        self.hidden, self.head = nn.Linear((size // 4) ** 2 * 2 * width, hidden), nn.Linear(hidden, classes)

    def forward(self, x):
        for stage in self.stages:
            for layer in stage:
                x = functional.relu(layer(x))
            x = functional.max_pool2d(x, 2)
        return self.head(functional.relu(self.hidden(x.permute(0, 2, 3, 1).flatten(1))))


class Vit(nn.Module):
    def __init__(self, channels=3, patch=5, width=12, heads=3, hidden=48, classes=5, size=10):
        super().__init__()
        self.patches, self.positions = nn.Conv2d(channels, width, patch, patch), nn.Embedding((size // patch) ** 2, width)
        self.encoder, self.head = TransformerEncoder(width, heads, hidden), nn.Linear(width, classes)

    def forward(self, x):
        patches = self.patches(x).flatten(2).transpose(1, 2)
        everything = torch.ones(patches.shape[:2], dtype=torch.bool)
        return self.head(self.encoder(patches + self.positions.weight, everything).mean(1))


def images(network):
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # as if it had learnt
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
    return network, torch.randn(6, 3, 10, 10), 5


def text_classifier(cell, pooling, bidirectional):
    return TextClassifier(cell, pooling, bidirectional), padded_ids(19, [5, 8, 1, 3]), 3


def masked_encoder():
    return MaskedEncoder(), padded_ids(19, [5, 8, 1, 3]), 19


def encoder():
    return Encoder(), padded_ids(19, [5, 8, 1, 3]), 3


def write(path, network, x, classes):
    y = torch.randint(0, classes, x.shape if getattr(network, "tells_tokens", False) else (x.shape[0],))
    if isinstance(network, Gpt):
        y[0, 3] = y[2, -1] = -1  # do not count
    if isinstance(network, MaskedEncoder):
        y[(x == 0) | (torch.rand(x.shape) < 0.5)] = -1
    out = {"x": x.permute(0, 2, 3, 1).contiguous() if x.dim() == 4 else x, "y": y}
    for name, p in network.named_parameters():
        out[f"initial.{name.replace('/', '.')}"] = p.detach().clone()
    # The bias of the keys, or what a batch norm takes away, has a true gradient of zero; a large eps keeps Adam from blowing up its rounding noise.
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2, eps=1e-8 if isinstance(network, nn.Sequential) else 1e-3)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(x).flatten(0, -2), y.flatten(), ignore_index=-1)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            out["loss"] = loss.detach().reshape(1)
            for name, p in network.named_parameters():
                out[f"gradient.{name.replace('/', '.')}"] = p.grad.clone()
        optimizer.step()
    out["losses"] = torch.tensor(losses)
    for name, p in network.named_parameters():
        out[f"final.{name.replace('/', '.')}"] = p.detach().clone()
    for name, b in network.named_buffers():
        if b.is_floating_point():
            out[f"final.{name}"] = b.clone()
    save_file({k: v.contiguous() for k, v in out.items()}, path, metadata={"torch": torch.__version__})
    print(path, "loss", losses[0], "->", losses[-1])


def main():
    folder = pathlib.Path(sys.argv[1])
    torch.manual_seed(20261123)
    for name, make in (("mlp", mlp), ("cnn", cnn), ("gpt2", lambda: gpt("gpt2")), ("llama", lambda: gpt("llama")),
                       ("qwen3", lambda: gpt("qwen3")), ("rnn", lambda: text_classifier(nn.RNN, "last", False)),
                       ("lstm", lambda: text_classifier(nn.LSTM, "mean", True)), ("gru", lambda: text_classifier(nn.GRU, "last", True)),
                       ("encoder", encoder), ("resnet", lambda: images(ResNet())), ("mobilenet", lambda: images(MobileNet())),
                       ("vgg", lambda: images(Vgg())), ("vit", lambda: images(Vit())),
                       ("masked_encoder", masked_encoder)):
        write(folder / f"{name}.safetensors", *make())


if __name__ == "__main__":
    main()
