"""The peer of generation:  llama.py WORKLOAD SETTING FOLDER, a setting as JSON {"attention": "usual" or "flash"}. Needs llama-cpp-python, gguf and numpy.

The model is made once in FOLDER: the shape of Qwen2.5-0.5B with random weights, Q8_0, or Q4_0 with an embedding of Q8_0, as ours is.
"""
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from measure import answer  # noqa: E402

LAYERS, WIDTH, HEADS, KV_HEADS, HEAD, HIDDEN, VOCABULARY = 24, 896, 14, 2, 64, 4864, 151936
PROMPT, BEFORE, WRITTEN = 512, 32, 64


def make_model(path, name):
    import gguf
    import numpy
    types = gguf.GGMLQuantizationType
    kind = types.Q8_0 if name == "q8" else types.Q4_0
    rng = numpy.random.default_rng(0)
    part = path.with_suffix(".part")
    writer = gguf.GGUFWriter(part, "qwen2")
    writer.add_context_length(1024)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([f"t{i}" for i in range(VOCABULARY)])
    writer.add_token_types([1] * VOCABULARY)
    writer.add_token_merges(["t 1"])

    def weight(name, rows, columns, kind):
        values = rng.standard_normal((rows, columns), dtype=numpy.float32) * numpy.float32(0.02)
        writer.add_tensor(name + ".weight", gguf.quants.quantize(values, kind), raw_dtype=kind)

    def vector(name, size, value):
        writer.add_tensor(name, numpy.full(size, value, numpy.float32))

    weight("token_embd", VOCABULARY, WIDTH, types.Q8_0)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        vector(block + "attn_norm.weight", WIDTH, 1)
        for one, rows in (("attn_q", HEADS * HEAD), ("attn_k", KV_HEADS * HEAD), ("attn_v", KV_HEADS * HEAD)):
            weight(block + one, rows, WIDTH, kind)
            vector(block + one + ".bias", rows, 1)
        weight(block + "attn_output", WIDTH, HEADS * HEAD, kind)
        vector(block + "ffn_norm.weight", WIDTH, 1)
        weight(block + "ffn_gate", HIDDEN, WIDTH, kind)
        weight(block + "ffn_up", HIDDEN, WIDTH, kind)
        weight(block + "ffn_down", WIDTH, HIDDEN, kind)
    vector("output_norm.weight", WIDTH, 1)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.rename(path)


class Sequences:
    def __init__(self, llama, path, count, setting, threads):
        self.llama, self.count, self.length = llama, count, 0
        llama.llama_backend_init()
        self.model = llama.llama_model_load_from_file(str(path).encode(), llama.llama_model_default_params())
        options = llama.llama_context_default_params()
        options.n_ctx = 1024 * count
        options.n_batch = options.n_ubatch = PROMPT
        options.n_threads = options.n_threads_batch = threads
        options.n_seq_max = count
        options.kv_unified = count > 1
        options.flash_attn_type = 1 if setting["attention"] == "flash" else 0
        self.context = llama.llama_init_from_model(self.model, options)
        self.memory = llama.llama_get_memory(self.context)

    def decode(self, items):
        """(token, position, sequence, whether its logits are wanted) each."""
        batch = self.llama.llama_batch_init(len(items), 0, 1)
        batch.n_tokens = len(items)
        for i, (token, position, sequence, wanted) in enumerate(items):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = token, position, 1, sequence, wanted
        if self.llama.llama_decode(self.context, batch) != 0:
            sys.exit("llama_decode failed")
        self.llama.llama_get_logits(self.context)
        self.llama.llama_batch_free(batch)

    def start(self, tokens):
        self.llama.llama_memory_clear(self.memory, True)
        for s in range(self.count):
            self.decode([((7919 * i + 31 * s + 13) % 1000, i, s, i == tokens - 1) for i in range(tokens)])
        self.length = tokens

    def step(self):
        self.decode([(1, self.length, s, True) for s in range(self.count)])
        self.length += 1

    def go_on(self):
        if self.length in (0, BEFORE + WRITTEN):
            self.start(BEFORE)
        self.step()


def main():
    workload, setting, folder = sys.argv[1], json.loads(sys.argv[2]), pathlib.Path(sys.argv[3])
    try:
        import llama_cpp
        import gguf  # noqa: F401
    except ImportError as error:
        print(json.dumps({"missing": f"{error.name} is not installed"}), flush=True)
        return
    what, count, kind = workload.split("-")
    folder.mkdir(exist_ok=True)
    path = folder / f"qwen-{kind}.gguf"
    if not path.exists():
        make_model(path, kind)
    silent = os.open(os.devnull, os.O_WRONLY)
    errors = os.dup(2)
    os.dup2(silent, 2)
    sequences = Sequences(llama_cpp, path, 1 if what == "prefill" else int(count), setting, int(os.environ["OMP_NUM_THREADS"]))
    os.dup2(errors, 2)
    step = (lambda: sequences.start(PROMPT)) if what == "prefill" else sequences.go_on
    answer(step, {"version": f"llama-cpp-python {llama_cpp.__version__}"})


main()
