"""Our GGUF files by others' readers: tests/interop/gguf_files.py DANLU LOGITS DIRECTORY

The runs that transformers_folders.py has imported into DIRECTORY are exported in every type. The gguf package must find the weights of
their bundles there, in llama.cpp's order of rows and, where they are quantised, in the very bytes of its own quantisation; danlu must
answer from the file as from the bundle.
"""

import json
import pathlib
import subprocess
import sys

import gguf
import numpy as np
from gguf.quants import quantize
from safetensors.numpy import load_file

from answers import ours

FAMILIES = {"gpt2": "gpt2", "llama": "llama", "llama3": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "wide": "llama"}
TYPES = {"f32": "F32", "f16": "F16", "bf16": "BF16", "q8_0": "Q8_0", "q4_0": "Q4_0"}
# What rounded weights may do to the logits, in units of their deviation; whether they are rounded as they should be, their bytes tell.
SLACK = {"f32": 0, "f16": 0.05, "bf16": 0.5, "q8_0": 1, "q4_0": 5}
PARTS = {"gpt2": {"attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down", "ln_1": "attn_norm",
                  "ln_2": "ffn_norm"},
         "": {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
              "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
              "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}}
WHOLE = {"transformer.wte": "token_embd", "transformer.wpe": "position_embd", "transformer.ln_f": "output_norm", "model.embed_tokens": "token_embd",
         "model.norm": "output_norm", "lm_head": "output"}


def expected_tensors(bundle, family):
    """The weights of a bundle under llama.cpp's names, in its order of rows."""
    config = json.loads((bundle / "config.json").read_text())
    tensors = {}
    for name, value in load_file(bundle / "model.safetensors").items():
        stem, kind = name.rsplit(".", 1)
        if stem in WHOLE:
            tensors[f"{WHOLE[stem]}.{kind}"] = value
            continue
        _, _, layer, part = stem.split(".", 3)
        if family == "gpt2" and value.ndim == 2:
            value = value.T
        if family == "llama" and part in ("self_attn.q_proj", "self_attn.k_proj"):
            heads = config["num_attention_heads" if "q_proj" in part else "num_key_value_heads"]
            value = value.reshape(heads, 2, -1, value.shape[1]).swapaxes(1, 2).reshape(value.shape)
        tensors[f"blk.{layer}.{PARTS['gpt2' if family == 'gpt2' else ''][part]}.{kind}"] = np.ascontiguousarray(value)
    return tensors


def check_tensors(reader, expected, wanted):
    found = {t.name: t for t in reader.tensors}
    found.pop("rope_freqs.weight", None)
    assert sorted(found) == sorted(expected), set(found) ^ set(expected)
    head = "output.weight" if "output.weight" in expected else "token_embd.weight"
    for name, value in expected.items():
        tensor, kind = found[name], wanted
        if value.ndim == 1 or name == "position_embd.weight":
            kind = "F32"
        elif kind == "Q4_0" and name == head:
            kind = "Q8_0"
        if kind in ("Q8_0", "Q4_0") and value.ndim == 2 and value.shape[1] % 32:
            kind = "F16"
        kind = gguf.GGMLQuantizationType[kind]
        assert tensor.tensor_type == kind, f"{name}: {tensor.tensor_type}, not {kind}"
        assert tuple(reversed(tensor.shape.tolist())) == value.shape, name
        assert tensor.data.tobytes() == quantize(value, kind).tobytes(), f"{name}: other bytes"


def check_metadata(reader, bundle, family):
    def value(key):
        return reader.get_field(key).contents()
    config = json.loads((bundle / "config.json").read_text())
    tokenizer = json.loads((bundle / "tokenizer.json").read_text())
    assert value("general.architecture") == family
    assert value("general.alignment") == 32
    assert value(f"{family}.block_count") == 3
    assert value(f"{family}.context_length") == 256
    assert value("tokenizer.ggml.model") == "gpt2"
    assert value("tokenizer.ggml.pre") == ("gpt-2" if family == "gpt2" else "qwen2")
    tokens = value("tokenizer.ggml.tokens")
    assert len(tokens) == config["vocab_size"]
    for token, index in tokenizer["model"]["vocab"].items():
        assert tokens[index] == token, (tokens[index], token)
    merges = [" ".join(m) if isinstance(m, list) else m for m in tokenizer["model"]["merges"]]
    assert value("tokenizer.ggml.merges") == merges
    assert [tokens[value(f"tokenizer.ggml.{part}_token_id")] for part in ("eos", "eot", "padding")] == ["<|im_end|>", "<|endoftext|>", "<|endoftext|>"]
    assert value("tokenizer.chat_template").startswith("{% for")


def logits(answers):
    return [(a["ids"], np.array(a["logits"]).reshape(len(a["ids"]), -1)) for a in answers]


def main():
    danlu, program, work = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    for name, family in FAMILIES.items():
        bundle = work / "runs" / name / "bundle"
        expected, before = expected_tensors(bundle, family), logits(ours(program, bundle))
        for option, kind in TYPES.items():
            file = work / f"{name}-{option}.gguf"
            subprocess.run([danlu, "export", bundle, "--to", "gguf", "--type", option, "-o", file], check=True, capture_output=True)
            reader = gguf.GGUFReader(file)
            check_tensors(reader, expected, kind)
            check_metadata(reader, bundle, family)
            worst = 0
            for (ids, one), (other_ids, two) in zip(before, logits(ours(program, file)), strict=True):
                assert ids == other_ids
                worst = max(worst, np.abs(one - two).max() / one.std())
            assert worst <= SLACK[option], f"{name} {option}: logits differ by {worst} deviations"
        print(f"interop: gguf reads {name} in {len(TYPES)} types; danlu answers from the files")


if __name__ == "__main__":
    main()
