#!/usr/bin/env python3
"""Training steps of an LSTM language model and of a Transformer encoder, by Danlu and by PyTorch side by side: same shapes, same threads, in turn.

    python3 bench/peers/train_sequence.py build/bench/bench/bench_train_sequence [lstm encoder] [--threads 2] [--rounds 5]

PyTorch: nn.LSTM, nn.TransformerEncoder with its norms in front, AdamW plain and fused, eager. The best of them, by median, is the one that
the ratio is taken with. Needs: pip install torch (a CPU build is enough).
"""
import argparse
import sys

from side_by_side import Process, answer, compare

BATCH, LENGTH, VOCABULARY = 32, 128, 8192


def serve_torch(name, fused, threads):
    """Answers step counts from standard input with the median time and the peak memory."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(threads)

    class Lstm(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.layers = nn.Embedding(VOCABULARY, 128), nn.LSTM(128, 256, 2, batch_first=True)
            self.head = nn.Linear(256, VOCABULARY, bias=False)

        def forward(self, ids, targets):
            return functional.cross_entropy(self.head(self.layers(self.embedding(ids))[0]).flatten(0, 1), targets.flatten())

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.positions = nn.Embedding(VOCABULARY, 256), nn.Embedding(LENGTH, 256)
            block = nn.TransformerEncoderLayer(256, 4, 1024, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
            self.blocks, self.norm, self.head = nn.TransformerEncoder(block, 4, enable_nested_tensor=False), nn.LayerNorm(256), nn.Linear(256, 2)

        def forward(self, ids, targets):
            x = self.blocks(self.tokens(ids) + self.positions(torch.arange(LENGTH)))
            return functional.cross_entropy(self.head(self.norm(x).mean(1)), targets)

    model = Lstm() if name == "lstm" else Encoder()
    ids = torch.randint(0, VOCABULARY, (BATCH, LENGTH))
    targets = torch.randint(0, VOCABULARY, (BATCH, LENGTH)) if name == "lstm" else torch.randint(0, 2, (BATCH,))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, fused=fused)

    def step():
        optimizer.zero_grad(set_to_none=True)
        model(ids, targets).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    answer(step)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="path of bench_train_sequence")
    parser.add_argument("names", nargs="*", default=["lstm", "encoder"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--torch", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.torch:
        return serve_torch(args.names[0], args.torch == "fused", args.threads)
    for name in args.names:
        ours = Process([args.program], f"{name} ", args.threads)
        theirs = {f"AdamW {kind}": Process([sys.executable, __file__, args.program, name, "--threads", str(args.threads), "--torch", kind], "", args.threads)
                  for kind in ("plain", "fused")}
        compare(name, ours, theirs, 2, args.rounds, BATCH * LENGTH)


if __name__ == "__main__":
    main()
