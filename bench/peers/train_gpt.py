#!/usr/bin/env python3
"""Training steps of decoders of GPT-2's kind, Danlu and PyTorch side by side: same shapes, same threads, in turn, in one run.

    python3 bench/peers/train_gpt.py build/bench/bench/bench_train_gpt [toy small gpt2] [--threads 2] [--rounds 5] [--compile]

PyTorch: scaled_dot_product_attention, cross_entropy, clipped gradients, AdamW plain and fused, eager (and, with --compile,
torch.compile). The best of them, by median, is the one that the ratio is taken with. Each setting runs in a process of its
own, so that peak memory can be compared. Needs: pip install torch (a CPU build is enough).
"""
import argparse
import sys

from side_by_side import Process, answer, compare

SETTINGS = {"toy": (4, 4, 128, 64, 12, 65), "small": (6, 6, 384, 256, 16, 8192), "gpt2": (12, 12, 768, 256, 4, 50257)}
STEPS = {"toy": 20, "small": 2, "gpt2": 1}


def serve_torch(name, fused, compiled, threads):
    """Answers step counts from standard input with the median time and the peak memory."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(threads)
    layers, heads, width, context, batch, vocabulary = SETTINGS[name]

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x):
            n, t, c = x.shape
            q, k, v = (a.view(n, t, heads, -1).transpose(1, 2) for a in self.qkv(self.norm1(x)).split(c, -1))
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.projection(mixed.transpose(1, 2).reshape(n, t, c))
            return x + self.down(functional.gelu(self.up(self.norm2(x)), approximate="tanh"))

    class Gpt(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
            self.blocks, self.norm = nn.ModuleList(Block() for _ in range(layers)), nn.LayerNorm(width)
            self.head = nn.Linear(width, vocabulary, bias=False)
            self.head.weight = self.tokens.weight
            for p in self.parameters():
                if p.dim() > 1:
                    nn.init.normal_(p, std=0.02)

        def forward(self, ids, targets):
            x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
            for block in self.blocks:
                x = block(x)
            return functional.cross_entropy(self.head(self.norm(x)).flatten(0, 1), targets.flatten())

    model = Gpt()
    loss_of = torch.compile(model) if compiled else model
    ids, targets = torch.randint(0, vocabulary, (2, batch, context))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, fused=fused)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss_of(ids, targets).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    answer(step)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="path of bench_train_gpt")
    parser.add_argument("names", nargs="*", default=list(SETTINGS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--torch", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.torch:
        return serve_torch(args.names[0], "fused" in args.torch, "compiled" in args.torch, args.threads)
    for name in args.names:
        peers = ["eager", "eager fused"] + (["compiled fused"] if args.compile else [])
        ours = Process([args.program], f"{name} ", args.threads)
        theirs = {peer: Process([sys.executable, __file__, args.program, name, "--threads", str(args.threads), "--torch", peer], "", args.threads)
                  for peer in peers}
        compare(name, ours, theirs, STEPS[name], args.rounds, SETTINGS[name][3] * SETTINGS[name][4])


if __name__ == "__main__":
    main()
