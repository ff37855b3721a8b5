#!/usr/bin/env python3
"""Writes tests/golden/{gan_batch,gan_spectral,autoencoder,autoencoder_dense}.safetensors: what PyTorch computes for small models that make images.

    python3 tools/make_image_goldens.py tests/golden        (needs: pip install torch safetensors)

Of a GAN: real images `x`, the noise `z` of ten updates, the state before (`initial.NAME`), the losses of both turns of every update
(`losses`, generator first), the gradients of the first turn of each (`gradient.NAME`), and the state afterwards (`final.NAME`). Of an
autoencoder: the same with one loss. Names are danlu's; images are (N, H, W, C), and so are the rows of linear layers that stand for images.
"""
import pathlib
import sys

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

STEPS, LATENT, WIDTH, SIZE = 10, 5, 4, 8


class ToChannelsLast(nn.Module):
    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class ToImage(nn.Module):
    def __init__(self, height, width, channels):
        super().__init__()
        self.shape = (height, width, channels)

    def forward(self, x):
        return x.view(-1, *self.shape).permute(0, 3, 1, 2)


class Gan(nn.Module):
    """8 x 8 images of one channel, two halvings."""

    def __init__(self, norm):
        super().__init__()
        side, wide = SIZE // 4, 2 * WIDTH
        self.generator = nn.Sequential(
            nn.Linear(LATENT, side * side * wide, bias=False), ToImage(side, side, wide), nn.BatchNorm2d(wide), nn.ReLU(),
            nn.ConvTranspose2d(wide, WIDTH, 4, 2, 1, bias=False), nn.BatchNorm2d(WIDTH), nn.ReLU(), nn.ConvTranspose2d(WIDTH, 1, 4, 2, 1), nn.Tanh())
        layers = [nn.Conv2d(1, WIDTH, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(WIDTH, wide, 4, 2, 1, bias=norm != "batch")]
        layers += [nn.BatchNorm2d(wide)] if norm == "batch" else []
        layers += [nn.LeakyReLU(0.2), ToChannelsLast(), nn.Linear(side * side * wide, 1)]
        for p in [*self.generator.parameters(), *(p for layer in layers for p in layer.parameters())]:
            if p.dim() > 1:
                nn.init.normal_(p, 0, 0.2)
        if norm == "spectral":
            layers = [spectral_norm(layer) if isinstance(layer, (nn.Conv2d, nn.Linear)) else layer for layer in layers]
        self.discriminator = nn.Sequential(*layers)


def name_of(name):
    """danlu's name of a parameter or buffer of PyTorch."""
    name = name.replace("parametrizations.weight.original", "weight")
    return name.replace("parametrizations.weight.0._u", "spectral_norm.u").replace("parametrizations.weight.0._v", "spectral_norm.v")


def state(network, prefix):
    return {f"{prefix}.{name_of(k)}": v.detach().clone() for k, v in network.state_dict().items() if v.is_floating_point()}


def gan(norm):
    network = Gan(norm)
    x, z = torch.tanh(torch.randn(6, 1, SIZE, SIZE)), torch.randn(STEPS, 6, LATENT)
    out = {"x": x.permute(0, 2, 3, 1), "z": z, **state(network, "initial")}
    g, d = network.generator, network.discriminator
    options = {"lr": 1e-2, "betas": (0.5, 0.999), "eps": 1e-3}
    by_g, by_d = torch.optim.Adam(g.parameters(), **options), torch.optim.Adam(d.parameters(), **options)
    losses = []
    hinge = norm == "spectral"
    for step in range(STEPS):
        by_g.zero_grad()
        made = g(z[step])
        for p in d.parameters():
            p.requires_grad_(False)
        judged = d(made)
        loss_g = -judged.mean() if hinge else functional.binary_cross_entropy_with_logits(judged, torch.ones_like(judged))
        loss_g.backward()
        for p in d.parameters():
            p.requires_grad_(True)
        if step == 0:
            out.update({f"gradient.generator.{name_of(k)}": p.grad.clone() for k, p in g.named_parameters()})
        by_g.step()
        by_d.zero_grad()
        real, fake = d(torch.cat([x, made.detach()])).split(6) if hinge else (d(x), d(made.detach()))
        if hinge:
            loss_d = functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()
        else:
            loss_d = (functional.binary_cross_entropy_with_logits(real, torch.ones_like(real))
                      + functional.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake)))
        loss_d.backward()
        if step == 0:
            out.update({f"gradient.discriminator.{name_of(k)}": p.grad.clone() for k, p in d.named_parameters()})
        by_d.step()
        losses.append([loss_g.item(), loss_d.item()])
    return {**out, "losses": torch.tensor(losses), **state(network, "final")}


def convolutional():
    side, wide = SIZE // 4, 2 * WIDTH
    encoder = nn.Sequential(nn.Conv2d(1, WIDTH, 4, 2, 1), nn.ReLU(), nn.Conv2d(WIDTH, wide, 4, 2, 1), nn.ReLU(), ToChannelsLast(), nn.Linear(side * side * wide, 3))
    decoder = nn.Sequential(nn.Linear(3, side * side * wide), nn.ReLU(), ToImage(side, side, wide), nn.ConvTranspose2d(wide, WIDTH, 4, 2, 1), nn.ReLU(),
                            nn.ConvTranspose2d(WIDTH, 1, 4, 2, 1), nn.Tanh())
    return encoder, decoder


def dense():
    encoder = nn.Sequential(ToChannelsLast(), nn.Linear(SIZE * SIZE, 10), nn.ReLU(), nn.Linear(10, 7), nn.ReLU(), nn.Linear(7, 3))
    decoder = nn.Sequential(nn.Linear(3, 7), nn.ReLU(), nn.Linear(7, 10), nn.ReLU(), nn.Linear(10, SIZE * SIZE), nn.Tanh(), ToImage(SIZE, SIZE, 1))
    return encoder, decoder


def autoencoder(parts):
    network = nn.ModuleDict(dict(zip(("encoder", "decoder"), parts)))
    x = torch.tanh(torch.randn(6, 1, SIZE, SIZE))
    out = {"x": x.permute(0, 2, 3, 1), **state(network, "initial")}
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2, eps=1e-3)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = functional.mse_loss(network["decoder"](network["encoder"](x)), x)
        loss.backward()
        if step == 0:
            out.update({f"gradient.{k}": p.grad.clone() for k, p in network.named_parameters()})
        optimizer.step()
        losses.append(loss.item())
    return {**out, "losses": torch.tensor(losses), **state(network, "final")}


def main():
    folder = pathlib.Path(sys.argv[1])
    torch.manual_seed(20261123)
    for name, make in (("gan_batch", lambda: gan("batch")), ("gan_spectral", lambda: gan("spectral")),
                       ("autoencoder", lambda: autoencoder(convolutional())), ("autoencoder_dense", lambda: autoencoder(dense()))):
        out = make()
        save_file({k: v.contiguous() for k, v in out.items()}, folder / f"{name}.safetensors", metadata={"torch": torch.__version__})
        print(name, out["losses"][0].tolist(), "->", out["losses"][-1].tolist())


if __name__ == "__main__":
    main()
