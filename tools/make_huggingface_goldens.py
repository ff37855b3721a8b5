#!/usr/bin/env python3
"""Writes tests/golden/huggingface/NAME: small decoders with random weights as transformers saves them, and what it computes with them.

    python3 tools/make_huggingface_goldens.py tests/golden/huggingface       (needs: pip install torch transformers)

Beside config.json and the weights lies expected.safetensors: `ids`, (N, T), and the `logits` of transformers in f32.
"""
import pathlib
import sys

import torch
import transformers
from safetensors.torch import save_file

SIZES = {"vocab_size": 48, "bos_token_id": 1, "eos_token_id": 2, "initializer_range": 0.2}
LLAMA = {**SIZES, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
         "max_position_embeddings": 32}
LLAMA3 = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 16}


def models():
    """Name, network, type of the weights on disk, size of a shard."""
    t = transformers
    yield "gpt2", t.GPT2LMHeadModel(t.GPT2Config(**SIZES, n_embd=16, n_layer=2, n_head=4, n_positions=32)), torch.float32, "1GB"
    yield "llama", t.LlamaForCausalLM(t.LlamaConfig(**LLAMA)), torch.float32, "1GB"
    yield "llama3", t.LlamaForCausalLM(t.LlamaConfig(**LLAMA, tie_word_embeddings=True, rope_parameters=LLAMA3)), torch.bfloat16, "4KB"
    yield "qwen2", t.Qwen2ForCausalLM(t.Qwen2Config(**LLAMA)), torch.bfloat16, "1GB"
    yield "qwen3", t.Qwen3ForCausalLM(t.Qwen3Config(**LLAMA, head_dim=8, tie_word_embeddings=True)), torch.float16, "1GB"


def main():
    torch.manual_seed(1)
    for name, model, dtype, shard in models():
        folder = pathlib.Path(sys.argv[1], name)
        for parameter in model.parameters():  # norms and biases too
            if parameter.dim() == 1:
                parameter.data += 0.2 * torch.randn_like(parameter)
        model.to(dtype).save_pretrained(folder, max_shard_size=shard)
        model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        ids = torch.randint(SIZES["vocab_size"], (2, 19))
        with torch.no_grad():
            logits = model(ids).logits
        save_file({"ids": ids, "logits": logits}, folder / "expected.safetensors")


if __name__ == "__main__":
    main()
