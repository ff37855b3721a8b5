#!/usr/bin/env python3
"""nanoGPT's setting for processors (4 layers, 4 heads, 128 wide, context 64, batch 12, 2000 updates, characters of tiny Shakespeare),
trained by Danlu and by PyTorch one after the other: validation loss over the whole validation part, and time.

    python3 bench/peers/shakespeare.py build/release/danlu tinyshakespeare.txt [--threads 2] [--rounds 1] [--lr 4e-3] [--steps 1300]

--lr and --steps hold for both; nanoGPT's own are 1e-3 and 2000.

The last tenth of the text validates, as in nanoGPT. PyTorch runs eager with fused AdamW and scaled_dot_product_attention. Its time is that
of the updates; Danlu's includes its validation and checkpoint at the end. Needs: pip install torch (a CPU build is enough).
"""
import argparse
import json
import math
import os
import pathlib
import subprocess
import tempfile
import time

import torch
from torch import nn
from torch.nn import functional

LAYERS, HEADS, WIDTH, CONTEXT, BATCH = 4, 4, 128, 64, 12


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.projection = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = (a.view(n, t, HEADS, -1).transpose(1, 2) for a in self.qkv(self.norm1(x)).split(c, -1))
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.projection(mixed.transpose(1, 2).reshape(n, t, c))
        return x + self.down(functional.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks, self.norm = nn.ModuleList(Block() for _ in range(LAYERS)), nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, vocabulary, bias=False)
        self.head.weight = self.tokens.weight
        for name, p in self.named_parameters():
            if p.dim() > 1:
                last = name.endswith(("projection.weight", "down.weight"))
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * LAYERS) if last else 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(p)

    def forward(self, ids, targets):
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        return functional.cross_entropy(self.head(self.norm(x)).flatten(0, 1), targets.flatten())


def train_torch(text, seed, peak, steps):
    torch.manual_seed(seed)
    characters = sorted(set(text))
    ids = torch.tensor([characters.index(c) for c in text])
    cut = int(0.9 * len(ids))
    training, validation = ids[:cut], ids[cut:]
    model = Gpt(len(characters))
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0}],
                                  lr=peak, betas=(0.9, 0.99), fused=True)
    start = time.perf_counter()
    for step in range(steps):
        progress = max(0.0, (step - 100) / (steps - 100))
        lr = peak * ((step + 1) / 100 if step < 100 else 0.1 + 0.45 * (1 + math.cos(math.pi * progress)))
        for group in optimizer.param_groups:
            group["lr"] = lr
        begins = torch.randint(len(training) - CONTEXT, (BATCH,))
        x = torch.stack([training[i:i + CONTEXT] for i in begins])
        y = torch.stack([training[i + 1:i + 1 + CONTEXT] for i in begins])
        optimizer.zero_grad(set_to_none=True)
        model(x, y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    seconds = time.perf_counter() - start
    windows = (len(validation) - 1) // CONTEXT
    x = validation[:windows * CONTEXT].view(windows, CONTEXT)
    y = validation[1:windows * CONTEXT + 1].view(windows, CONTEXT)
    with torch.no_grad():
        losses = [model(a, b).item() * len(a) for a, b in zip(x.split(64), y.split(64))]
    return sum(losses) / windows, seconds


def train_danlu(program, text, threads, seed, peak, steps, precision):
    recipe = pathlib.Path(__file__).parent.parent / "recipes" / "shakespeare.yaml"
    with tempfile.TemporaryDirectory() as runs:
        subprocess.run([program, "run", str(recipe), f"seed={seed}", f"train.optimizer.lr={peak}", f"train.steps={steps}",
                        f"train.validate_every={steps}", f"train.matmul_precision={precision}", "--runs", runs, "--threads", str(threads)], check=True,
                       env={**os.environ, "SHAKESPEARE": str(text)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        run = pathlib.Path(runs) / "shakespeare"
        return (json.loads((run / "report.json").read_text())["metrics"]["loss"]["value"],
                json.loads((run / "run.json").read_text())["training"]["seconds"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="path of danlu")
    parser.add_argument("text", type=pathlib.Path, help="tinyshakespeare.txt")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--matmul-precision", choices=("highest", "medium"), default="highest", help="of danlu; torch trains in f32, its fastest here")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    text = args.text.read_text()
    for seed in range(1, args.rounds + 1):
        loss, seconds = train_danlu(args.program, args.text.resolve(), args.threads, seed, args.lr, args.steps, args.matmul_precision)
        print(f"danlu  validation loss {loss:.4f}  {seconds:.1f} s", flush=True)
        their_loss, their_seconds = train_torch(text, seed, args.lr, args.steps)
        print(f"torch  validation loss {their_loss:.4f}  {their_seconds:.1f} s   ratio of times {their_seconds / seconds:.2f}", flush=True)


if __name__ == "__main__":
    main()
