#!/usr/bin/env python3
"""Writes tests/golden/{gan_batch,gan_spectral,gan_conditional,autoencoder,autoencoder_dense}.safetensors: what PyTorch computes for small models that make images.

    python3 tools/make_image_goldens.py tests/golden        (needs: pip install torch safetensors)

Of a GAN: real images `x`, the noise `z` of ten updates, the state before (`initial.NAME`), the losses of both turns of every update
(`losses`, generator first), the gradients of the first turn of each (`gradient.NAME`), and the state afterwards (`final.NAME`); of a conditional
one also the class of each image (`labels`). Of an autoencoder: the same with one loss. Names are danlu's; images are (N, H, W, C), and so are the rows of linear layers that stand for images.
"""
import pathlib
import sys

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

STEPS, LATENT, WIDTH, SIZE, CLASSES = 10, 5, 4, 8, 3


class ToChannelsLast(nn.Module):
    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class ToImage(nn.Module):
    def __init__(self, height, width, channels):
        super().__init__()
        self.shape = (height, width, channels)

    def forward(self, x):
        return x.view(-1, *self.shape).permute(0, 3, 1, 2)


class Projection(nn.Module):
    """Logits of being real and of each class: the projection discriminator's."""

    def __init__(self, features):
        super().__init__()
        self.linear, self.classes = nn.Linear(features, 1), nn.Linear(features, CLASSES, bias=False)

    def forward(self, h):
        return self.linear(h) + self.classes(h)


class Gan(nn.Module):
    """8 x 8 images of one channel, two halvings."""

    def __init__(self, norm, conditional=False):
        super().__init__()
        side, wide = SIZE // 4, 2 * WIDTH
        self.generator = nn.Sequential(
            nn.Linear(LATENT + (CLASSES if conditional else 0), side * side * wide, bias=False), ToImage(side, side, wide), nn.BatchNorm2d(wide), nn.ReLU(),
            nn.ConvTranspose2d(wide, WIDTH, 4, 2, 1, bias=False), nn.BatchNorm2d(WIDTH), nn.ReLU(), nn.ConvTranspose2d(WIDTH, 1, 4, 2, 1), nn.Tanh())
        layers = [nn.Conv2d(1, WIDTH, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(WIDTH, wide, 4, 2, 1, bias=norm != "batch")]
        layers += [nn.BatchNorm2d(wide)] if norm == "batch" else []
        layers += [nn.LeakyReLU(0.2), ToChannelsLast(), Projection(side * side * wide) if conditional else nn.Linear(side * side * wide, 1)]
        for p in [*self.generator.parameters(), *(p for layer in layers for p in layer.parameters())]:
            if p.dim() > 1:
                nn.init.normal_(p, 0, 0.2)
        self.discriminator = nn.Sequential(*layers)
        if norm == "spectral":
            for layer in [m for m in self.discriminator.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]:
                spectral_norm(layer)


def name_of(name):
    """danlu's name of a parameter or buffer of PyTorch."""
    name = name.replace("parametrizations.weight.original", "weight")
    return name.replace("parametrizations.weight.0._u", "spectral_norm.u").replace("parametrizations.weight.0._v", "spectral_norm.v")


def state(network, prefix):
    return {f"{prefix}.{name_of(k)}": v.detach().clone() for k, v in network.state_dict().items() if v.is_floating_point()}


def gan(norm, conditional=False):
    network = Gan(norm, conditional)
    x, z = torch.tanh(torch.randn(6, 1, SIZE, SIZE)), torch.randn(STEPS, 6, LATENT)
    out = {"x": x.permute(0, 2, 3, 1), "z": z, **state(network, "initial")}
    g, discriminator = network.generator, network.discriminator
    labels = torch.tensor([0, 1, 2, 2, 0, 1])
    one_hot = functional.one_hot(labels, CLASSES).float()
    if conditional:
        out["labels"] = labels

    def d(images):
        logits = discriminator(images)
        return (logits * one_hot.repeat(len(images) // 6, 1)).sum(1, keepdim=True) if conditional else logits

    options = {"lr": 1e-2, "betas": (0.5, 0.999), "eps": 1e-3}
    by_g, by_d = torch.optim.Adam(g.parameters(), **options), torch.optim.Adam(discriminator.parameters(), **options)
    losses = []
    one_pass = norm == "spectral"  # where no image has a say in what is thought of another
    hinge = one_pass and not conditional
    for step in range(STEPS):
        by_g.zero_grad()
        made = g(torch.cat([z[step], one_hot], 1) if conditional else z[step])
        for p in discriminator.parameters():
            p.requires_grad_(False)
        judged = d(made)
        loss_g = -judged.mean() if hinge else functional.binary_cross_entropy_with_logits(judged, torch.ones_like(judged))
        loss_g.backward()
        for p in discriminator.parameters():
            p.requires_grad_(True)
        if step == 0:
            out.update({f"gradient.generator.{name_of(k)}": p.grad.clone() for k, p in g.named_parameters()})
        by_g.step()
        by_d.zero_grad()
        real, fake = d(torch.cat([x, made.detach()])).split(6) if one_pass else (d(x), d(made.detach()))
        if hinge:
            loss_d = functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()
        else:
            loss_d = (functional.binary_cross_entropy_with_logits(real, torch.ones_like(real))
                      + functional.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake)))
        loss_d.backward()
        if step == 0:
            out.update({f"gradient.discriminator.{name_of(k)}": p.grad.clone() for k, p in discriminator.named_parameters()})
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
                       ("autoencoder", lambda: autoencoder(convolutional())), ("autoencoder_dense", lambda: autoencoder(dense())),
                       ("gan_conditional", lambda: gan("spectral", conditional=True))):
        out = make()
        save_file({k: v.contiguous() for k, v in out.items()}, folder / f"{name}.safetensors", metadata={"torch": torch.__version__})
        print(name, out["losses"][0].tolist(), "->", out["losses"][-1].tolist())


if __name__ == "__main__":
    main()
