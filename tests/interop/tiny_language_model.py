"""A language model of random weights over bytes, as a Hugging Face folder: make(folder, chat_template)"""
import json
from pathlib import Path

import numpy
from safetensors.numpy import save_file

WIDTH, HIDDEN, LAYERS, HEADS, CONTEXT = 32, 64, 2, 4, 512
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def printable_bytes():
    """The disguise in which byte-level tokenisers write bytes."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [b for b in range(256) if b not in shown]
    return {**{b: chr(b) for b in shown}, **{b: chr(256 + i) for i, b in enumerate(hidden)}}


def make(folder, chat_template=None, seed=0):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    letters = printable_bytes()
    vocab = {letters[b]: b for b in range(256)}
    added = [{"id": 256 + i, "content": words, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for i, words in enumerate(SPECIAL)]
    write = lambda name, value: (folder / name).write_text(json.dumps(value))
    write("tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": None, "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "vocab": vocab, "merges": []}})
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": SPECIAL[0], "model_max_length": CONTEXT}
    write("tokenizer_config.json", {**settings, **({"chat_template": chat_template} if chat_template else {})})
    write("generation_config.json", {"eos_token_id": [256, 258]})
    rows = 256 + len(SPECIAL)
    write("config.json", {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": WIDTH, "intermediate_size": HIDDEN,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": HEADS, "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0, "max_position_embeddings": CONTEXT, "vocab_size": rows, "hidden_act": "silu",
        "tie_word_embeddings": True, "eos_token_id": 256, "torch_dtype": "float32"})
    random = numpy.random.default_rng(seed)
    normal = lambda *shape: random.normal(0, 0.3, shape).astype(numpy.float32)
    tensors = {"model.embed_tokens.weight": normal(rows, WIDTH), "model.norm.weight": numpy.ones(WIDTH, numpy.float32)}
    for i in range(LAYERS):
        at = f"model.layers.{i}."
        for name in "qkvo":
            tensors[f"{at}self_attn.{name}_proj.weight"] = normal(WIDTH, WIDTH)
        tensors[at + "mlp.gate_proj.weight"] = normal(HIDDEN, WIDTH)
        tensors[at + "mlp.up_proj.weight"] = normal(HIDDEN, WIDTH)
        tensors[at + "mlp.down_proj.weight"] = normal(WIDTH, HIDDEN)
        for name in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{at}{name}.weight"] = numpy.ones(WIDTH, numpy.float32)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
