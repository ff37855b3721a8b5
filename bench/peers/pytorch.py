"""The workloads of bench/workloads.py that have networks, in PyTorch:  pytorch.py WORKLOAD SETTING, a setting as JSON.

    {"precision": "f32" | "medium" | "bf16", "mode": "eager" | "compile", "layout": "contiguous" | "channels_last", "allocator": "default" | "tcmalloc"}

medium is set_float32_matmul_precision, bf16 autocast. Optimisers are fused. Networks, batches and steps are those of bench/danlu.
"""
import contextlib
import glob
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from measure import answer  # noqa: E402


def missing(what):
    print(json.dumps({"missing": what}), flush=True)
    sys.exit(0)


def use_tcmalloc():
    """Starts this program anew with tcmalloc loaded first."""
    if "tcmalloc" not in os.environ.get("LD_PRELOAD", ""):
        found = sorted(path for folder in ("/usr/lib/*-linux-gnu", "/usr/lib", "/usr/lib64") for path in glob.glob(folder + "/libtcmalloc*.so.4"))
        if not found:
            missing("tcmalloc is not installed")
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "LD_PRELOAD": found[0]})


SETTING = json.loads(sys.argv[2])
if SETTING.get("allocator") == "tcmalloc":
    use_tcmalloc()
try:
    import torch
except ImportError:
    missing("torch is not installed")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

VOCABULARY, LENGTH, WIDTH = 8192, 128, 256
GPT = {"gpt-toy": (4, 4, 128, 64, 12, 65), "gpt-small": (6, 6, 384, 256, 16, 8192), "gpt2": (12, 12, 768, 256, 4, 50257)}
LAYOUT = torch.channels_last if SETTING.get("layout") == "channels_last" else torch.contiguous_format


def make_mlp():
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


def make_cnn():
    return nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(7 * 7 * 64, 128), nn.ReLU(), nn.Linear(128, 10))


def conv_norm(channels, filters, kernel, stride=1):
    return nn.Sequential(nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(filters))


class ResidualBlock(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.first, self.second = conv_norm(channels, filters, 3, stride), conv_norm(filters, filters, 3)
        self.shortcut = conv_norm(channels, filters, 1, stride) if channels != filters else nn.Identity()

    def forward(self, x):
        y = self.second(functional.relu(self.first(x), inplace=True))
        return functional.relu(y + self.shortcut(x), inplace=True)


def make_resnet():
    return nn.Sequential(conv_norm(1, 32, 3), nn.ReLU(inplace=True), ResidualBlock(32, 32, 1), ResidualBlock(32, 64, 2), ResidualBlock(64, 128, 2),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


class Block(nn.Module):
    def __init__(self, heads, width):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = (a.view(n, t, self.heads, -1).transpose(1, 2) for a in self.qkv(self.norm1(x)).split(c, -1))
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.projection(mixed.transpose(1, 2).reshape(n, t, c))
        return x + self.down(functional.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self, layers, heads, width, context, vocabulary):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks, self.norm = nn.ModuleList(Block(heads, width) for _ in range(layers)), nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.head.weight = self.tokens.weight
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.normal_(p, std=0.02)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class Lstm(nn.Module):
    def __init__(self, last_only):
        super().__init__()
        self.embedding, self.layers = nn.Embedding(VOCABULARY, 128), nn.LSTM(128, WIDTH, 2, batch_first=True)
        self.head, self.last_only = nn.Linear(WIDTH, VOCABULARY, bias=False), last_only

    def forward(self, ids):
        y = self.layers(self.embedding(ids))[0]
        return self.head(y[:, -1] if self.last_only else y)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(LENGTH, WIDTH)
        block = nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.blocks, self.norm, self.head = nn.TransformerEncoder(block, 4, enable_nested_tensor=False), nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 2)

    def forward(self, ids):
        x = self.blocks(self.tokens(ids) + self.positions(torch.arange(LENGTH)))
        return self.head(self.norm(x).mean(1))


def images(batch):
    return torch.randn(batch, 1, 28, 28).contiguous(memory_format=LAYOUT)


def ids(batch):
    return torch.randint(0, VOCABULARY, (batch, LENGTH))


def compiled(function):
    return torch.compile(function) if SETTING.get("mode") == "compile" else function


def cast():
    return torch.autocast("cpu", torch.bfloat16) if SETTING.get("precision") == "bf16" else contextlib.nullcontext()


def training_step(name):
    """A step: clear gradients, forward, loss, backward, update; sequence models clip the gradient's norm."""
    if name in ("mlp", "cnn", "resnet"):
        model = {"mlp": make_mlp, "cnn": make_cnn, "resnet": make_resnet}[name]()
        x, targets = torch.randn(64, 784) if name == "mlp" else images(64), torch.randint(0, 10, (64,))
    elif name in GPT:
        layers, heads, width, context, batch, vocabulary = GPT[name]
        model = Gpt(layers, heads, width, context, vocabulary)
        x, targets = torch.randint(0, vocabulary, (2, batch, context))
    else:
        model, x = (Lstm(False), ids(32)) if name == "lstm" else (Encoder(), ids(32))
        targets = torch.randint(0, VOCABULARY, x.shape) if name == "lstm" else torch.randint(0, 2, (32,))
    model = model.to(memory_format=LAYOUT)
    is_sequence = name in GPT or name in ("lstm", "encoder")
    optimizer = (torch.optim.AdamW if is_sequence else torch.optim.Adam)(model.parameters(), 1e-3, fused=True)

    @compiled
    def loss_of(inputs, wanted):
        return functional.cross_entropy(model(inputs).flatten(0, -2), wanted.flatten())

    def step():
        optimizer.zero_grad(set_to_none=True)
        with cast():
            loss = loss_of(x, targets)
        loss.backward()
        if is_sequence:
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def dcgan_step():
    """As PyTorch's tutorial has it, with the discriminator's step behind that of the generator, whose images it is shown; the discriminator's parameters ask
    for no gradient in the generator's turn."""
    latent, width = 100, 64
    generator = nn.Sequential(
        nn.ConvTranspose2d(latent, 2 * width, 7, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(True),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(True), nn.ConvTranspose2d(width, 1, 4, 2, 1), nn.Tanh())
    discriminator = nn.Sequential(
        nn.Conv2d(1, width, 4, 2, 1), nn.LeakyReLU(0.2, True), nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2, True),
        nn.Conv2d(2 * width, 1, 7), nn.Flatten())
    generator, discriminator = generator.to(memory_format=LAYOUT), discriminator.to(memory_format=LAYOUT)
    make, judge = compiled(generator), compiled(discriminator)
    by_g, by_d = (torch.optim.Adam(m.parameters(), 2e-4, betas=(0.5, 0.999), fused=True) for m in (generator, discriminator))
    real, ones, zeros, bce = images(64).clamp(-1, 1), torch.ones(64, 1), torch.zeros(64, 1), functional.binary_cross_entropy_with_logits

    def step():
        by_g.zero_grad(set_to_none=True)
        discriminator.requires_grad_(False)
        with cast():
            made = make(torch.randn(64, latent, 1, 1).contiguous(memory_format=LAYOUT))
            loss = bce(judge(made), ones)
        loss.backward()
        by_g.step()
        discriminator.requires_grad_(True)
        by_d.zero_grad(set_to_none=True)
        with cast():
            loss = bce(judge(real), ones) + bce(judge(made.detach()), zeros)
        loss.backward()
        by_d.step()

    return step


def inference_step(name, batch):
    model = {"mlp": make_mlp, "cnn": make_cnn, "lstm": lambda: Lstm(True), "encoder": Encoder}[name]().eval().to(memory_format=LAYOUT)
    x = torch.randn(batch, 784) if name == "mlp" else images(batch) if name == "cnn" else ids(batch)
    forward = compiled(model)

    def step():
        with torch.inference_mode(), cast():
            forward(x)

    return step


def main():
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(7)
    if SETTING.get("precision") == "medium":
        torch.set_float32_matmul_precision("medium")
    name, _, batch = sys.argv[1].partition("-infer-")
    step = inference_step(name, int(batch)) if batch else dcgan_step() if name == "dcgan" else training_step(name)
    answer(step, {"version": f"PyTorch {torch.__version__}"})


if __name__ == "__main__":
    main()
