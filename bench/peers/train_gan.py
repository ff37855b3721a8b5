#!/usr/bin/env python3
"""Updates of a DCGAN for 28 x 28 images, by Danlu and by PyTorch side by side: same shapes, same threads, in turn.

    python3 bench/peers/train_gan.py build/bench/bench/bench_train_gan [batch spectral] [--threads 2] [--rounds 9]

PyTorch: as its DCGAN tutorial has it, with the discriminator's step behind that of the generator, whose images it is shown; the
discriminator's parameters ask for no gradient in the generator's turn. Contiguous and channels_last, Adam plain and fused. The best of
them, by median, is the one that the ratio is taken with. Needs: pip install torch (a CPU build is enough).
"""
import argparse
import sys

from side_by_side import Process, answer, compare

BATCH, LATENT, WIDTH = 64, 100, 64


def serve_torch(name, kind, threads):
    """Answers step counts from standard input with the median time and the peak memory."""
    import torch
    from torch import nn
    from torch.nn import functional
    from torch.nn.utils.parametrizations import spectral_norm

    torch.set_num_threads(threads)
    layout = torch.channels_last if "last" in kind else torch.contiguous_format
    wide = 2 * WIDTH
    generator = nn.Sequential(
        nn.ConvTranspose2d(LATENT, wide, 7, bias=False), nn.BatchNorm2d(wide), nn.ReLU(True),
        nn.ConvTranspose2d(wide, WIDTH, 4, 2, 1, bias=False), nn.BatchNorm2d(WIDTH), nn.ReLU(True), nn.ConvTranspose2d(WIDTH, 1, 4, 2, 1), nn.Tanh())
    norm = spectral_norm if name == "spectral" else lambda layer: layer
    middle = [nn.BatchNorm2d(wide)] if name == "batch" else []
    discriminator = nn.Sequential(
        norm(nn.Conv2d(1, WIDTH, 4, 2, 1)), nn.LeakyReLU(0.2, True), norm(nn.Conv2d(WIDTH, wide, 4, 2, 1, bias=name != "batch")), *middle, nn.LeakyReLU(0.2, True),
        norm(nn.Conv2d(wide, 1, 7)), nn.Flatten())
    generator, discriminator = generator.to(memory_format=layout), discriminator.to(memory_format=layout)
    options = {"lr": 2e-4, "betas": (0.5, 0.999), "fused": "fused" in kind}
    by_g, by_d = torch.optim.Adam(generator.parameters(), **options), torch.optim.Adam(discriminator.parameters(), **options)
    real = (2 * torch.rand(BATCH, 1, 28, 28) - 1).contiguous(memory_format=layout)
    ones, zeros, bce = torch.ones(BATCH, 1), torch.zeros(BATCH, 1), functional.binary_cross_entropy_with_logits

    def step():
        made = generator(torch.randn(BATCH, LATENT, 1, 1).contiguous(memory_format=layout))
        discriminator.requires_grad_(False)
        by_g.zero_grad(set_to_none=True)
        judged = discriminator(made)
        (bce(judged, ones) if name == "batch" else -judged.mean()).backward()
        by_g.step()
        discriminator.requires_grad_(True)
        by_d.zero_grad(set_to_none=True)
        if name == "batch":
            loss = bce(discriminator(real), ones) + bce(discriminator(made.detach()), zeros)
        else:
            true, fake = discriminator(torch.cat([real, made.detach()])).split(BATCH)
            loss = functional.relu(1 - true).mean() + functional.relu(1 + fake).mean()
        loss.backward()
        by_d.step()

    answer(step)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="path of bench_train_gan")
    parser.add_argument("names", nargs="*", default=["batch", "spectral"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--torch", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.torch:
        return serve_torch(args.names[0], args.torch, args.threads)
    for name in args.names:
        ours = Process([args.program], f"{name} ", args.threads)
        theirs = {kind: Process([sys.executable, __file__, args.program, name, "--threads", str(args.threads), "--torch", kind], "", args.threads)
                  for kind in ("plain", "fused", "channels_last plain", "channels_last fused")}
        compare(name, ours, theirs, 5, args.rounds, BATCH, unit="images")


if __name__ == "__main__":
    main()
