"""The table of what is measured: for each workload the work of a step, what it is counted in, and whom it is compared with.

A row's name is a workload of bench/danlu and of the peer's program in bench/peers, which have the same shapes.
"""
from dataclasses import dataclass, field
import fnmatch
import os
import shlex

# What the engine computes products in; each that runs here is measured, and the best is set against the best of the peer. See bench/danlu/main.cpp.
OUR_PRECISIONS = ("f32", "medium")

# Settings of PyTorch, tried one kind after another, the best so far kept for the rest: all combinations would take an hour.
TORCH = {"precision": ("f32", "medium", "bf16"), "mode": ("eager", "compile"), "allocator": ("default", "tcmalloc")}
TORCH_IMAGES = {"precision": TORCH["precision"], "layout": ("contiguous", "channels_last"), "mode": TORCH["mode"], "allocator": TORCH["allocator"]}


def peer_command(name, python, folder):
    """The program of a peer, or None. It is called with a workload, its settings as JSON and the workload's files, and speaks as bench_danlu does.
    In the place of llama.py, which takes llama-cpp-python, comes what the environment variable LLAMA_CPP_BENCH names."""
    if name == "llama.py" and os.environ.get("LLAMA_CPP_BENCH"):
        return shlex.split(os.environ["LLAMA_CPP_BENCH"])
    return [python, str(folder / "peers" / name)]


@dataclass(frozen=True)
class Work:
    """Of a step. The limit of a machine is flops / peak + traffic / bandwidth of the smallest memory that holds `resident` bytes.

    Counted are products and convolutions, and the traffic of weights, gradients and moments; activations count as free, so that no program gets there."""
    flops: float
    traffic: float
    resident: float


@dataclass(frozen=True)
class Workload:
    name: str
    kind: str              # training, inference, generation, data
    unit: str              # what a step consists of
    amount: float          # how many of them
    peer: str = ""         # a file of bench/peers
    settings: dict = field(default_factory=dict)  # of the peer: kinds and their values, the usual one first
    work: Work = None
    files: tuple = ()      # see bench/files.py


@dataclass(frozen=True)
class Products:
    """Layers that multiply: `flops` of each, forward, and the parameters of all of them. `lookups` are parameters of embeddings."""
    flops: tuple
    parameters: float
    lookups: float = 0

    # The gradient of the input is not needed where the input is data: the first layer's, unless that is behind an embedding.
    def training(self):
        backward = 2 * sum(self.flops) - (0 if self.lookups else self.flops[0])
        trained = self.parameters + self.lookups
        # Weights are read forward and backward, gradients written; Adam reads four arrays and writes three.
        return Work(sum(self.flops) + backward, 4 * trained * (2 + 1 + 7), 4 * trained * 4)

    def inference(self):
        return Work(sum(self.flops), 4 * self.parameters, 4 * self.parameters)


def dense(rows, *widths):
    pairs = list(zip(widths, widths[1:]))
    return Products(tuple(2.0 * rows * i * o for i, o in pairs), sum(i * o for i, o in pairs))


def convolutions(images, *layers):
    """(outputs of an image, channels, filters, size of the kernel) each."""
    return Products(tuple(2.0 * images * n * c * f * k * k for n, c, f, k in layers), sum(c * f * k * k for n, c, f, k in layers))


def join(*parts):
    return Products(sum((p.flops for p in parts), ()), sum(p.parameters for p in parts), sum(p.lookups for p in parts))


def transformer(layers, width, length, batch, vocabulary, causal, head):
    tokens = batch * length
    blocks = 2.0 * tokens * 12 * width * width * layers
    attention = 4.0 * tokens * length * width * layers * (0.5 if causal else 1)
    return Products((blocks, attention, 2.0 * tokens * head), 12 * width * width * layers + head, (length + (0 if head == vocabulary * width else vocabulary)) * width)


def mlp(batch):
    return dense(batch, 784, 128, 64, 10)


def cnn(batch):
    return join(convolutions(batch, (784, 1, 32, 3), (196, 32, 64, 3)), dense(batch, 3136, 128, 10))


def resnet(batch):
    return join(convolutions(batch, (784, 1, 32, 3), (784, 32, 32, 3), (784, 32, 32, 3), (196, 32, 64, 3), (196, 64, 64, 3), (196, 32, 64, 1),
                             (49, 64, 128, 3), (49, 128, 128, 3), (49, 64, 128, 1)), dense(batch, 128, 10))


def lstm(batch, outputs=128):
    """`outputs` positions of each sequence have logits."""
    layers = dense(batch * 128, 128 + 256, 4 * 256), dense(batch * 128, 256 + 256, 4 * 256), dense(batch * outputs, 256, 8192)
    return Products(sum((p.flops for p in layers), ()), sum(p.parameters for p in layers), 8192 * 128)


def encoder(batch):
    return transformer(4, 256, 128, batch, 8192, False, 256 * 2)


def dcgan(batch):
    made = Products((2.0 * batch * 100 * 128 * 49, 2.0 * batch * 49 * 128 * 64 * 16, 2.0 * batch * 196 * 64 * 16), 100 * 128 * 49 + 128 * 64 * 16 + 64 * 16)
    judged = convolutions(batch, (196, 1, 64, 4), (49, 64, 128, 4), (1, 128, 1, 7))
    g, d, trained = sum(made.flops), sum(judged.flops), made.parameters + judged.parameters
    # The generator's turn goes back through the discriminator without its weights' gradients; the discriminator's has real and made images.
    return Work(3 * g - made.flops[0] + 2 * d + 2 * (3 * d - judged.flops[0]), 4 * trained * 10, 4 * trained * 4)


def training(name, unit, amount, work, settings=TORCH):
    return Workload(name, "training", unit, amount, "pytorch.py", settings, work)


def inference(name, batch, products, settings=TORCH):
    return Workload(f"{name}-infer-{batch}", "inference", "samples", batch, "pytorch.py", settings, products.inference())


# Of the shape of Qwen2.5-0.5B: the embedding, which is the head too, and the blocks; bits of a weight with its scale.
HEAD_WEIGHTS, BLOCK_WEIGHTS, BITS = 151936 * 896, 24 * (896 * (896 + 2 * 128) + 896 * 896 + 3 * 896 * 4864), {"q8": 8.5, "q4": 4.5}


def generation(name, unit, amount, work):
    return Workload(name, "generation", unit, amount, "llama.py", {"attention": ("usual", "flash")}, work, files=("models",))


def decode(streams, kind):
    # Every weight is read once a step; what is multiplied with it counts as free.
    read = (HEAD_WEIGHTS * BITS["q8"] + BLOCK_WEIGHTS * BITS[kind]) / 8
    return generation(f"decode-{streams}-{kind}", "tokens", streams, Work(0, read, read))


WORKLOADS = [
    training("mlp", "samples", 64, mlp(64).training()),
    training("cnn", "images", 64, cnn(64).training(), TORCH_IMAGES),
    training("resnet", "images", 64, resnet(64).training(), TORCH_IMAGES),
    training("gpt-toy", "tokens", 768, transformer(4, 128, 64, 12, 65, True, 65 * 128).training()),
    training("gpt-small", "tokens", 4096, transformer(6, 384, 256, 16, 8192, True, 8192 * 384).training()),
    training("gpt2", "tokens", 1024, transformer(12, 768, 256, 4, 50257, True, 50257 * 768).training()),
    training("lstm", "tokens", 4096, lstm(32).training()),
    training("encoder", "tokens", 4096, encoder(32).training()),
    training("dcgan", "images", 64, dcgan(64), TORCH_IMAGES),
    *(inference(name, batch, work(batch), settings) for name, work, settings in (
        ("mlp", mlp, TORCH), ("cnn", cnn, TORCH_IMAGES), ("lstm", lambda n: lstm(n, 1), TORCH), ("encoder", encoder, TORCH)) for batch in (1, 64)),
    *(row for kind in BITS for row in (generation(f"prefill-512-{kind}", "tokens", 512, None), decode(1, kind), decode(8, kind))),
    Workload("bpe-train", "data", "MB", 0, "tokenisers.py", {"library": ("tokenizers", "sentencepiece", "rustbpe")}, files=("text", "tokeniser")),
    Workload("tokenise", "data", "MB", 0, "tokenisers.py", {"library": ("tokenizers", "tiktoken", "sentencepiece")}, files=("text", "tokeniser")),
    Workload("csv", "data", "MB", 0, "readers.py", {"library": ("pandas", "polars", "pyarrow", "numpy")}, files=("table",)),
    Workload("images", "data", "images", 64, "readers.py", {"library": ("pillow", "torchvision", "opencv")}, files=("images",)),
    Workload("augment", "data", "images", 64),
]


def select(words):
    """Rows by name, pattern or kind, in the order of the table; all for no words. ValueError for a word that means none."""
    chosen = set()
    for word in words:
        found = {w.name for w in WORKLOADS if word == w.kind or fnmatch.fnmatchcase(w.name, word)}
        if not found:
            raise ValueError(f"got the workload {word}; expected training, inference, generation, data, or a name or pattern of: {' '.join(w.name for w in WORKLOADS)}")
        chosen |= found
    return [w for w in WORKLOADS if not words or w.name in chosen]
