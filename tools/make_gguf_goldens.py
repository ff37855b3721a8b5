#!/usr/bin/env python3
"""Writes danlu/formats/testdata/gguf_blocks.json: what ggml itself makes of the same blocks and numbers.

    pip install numpy llama-cpp-python && tools/make_gguf_goldens.py

"decoded" has for each type the bytes of a few blocks and the numbers that ggml reads there; "encoded" has numbers and the bytes that it
writes for them.
"""
import ctypes
import json
import pathlib

import llama_cpp
import numpy as np

OUT = pathlib.Path(__file__).resolve().parent.parent / "danlu/formats/testdata/gguf_blocks.json"
GGML = ctypes.CDLL(str(next((pathlib.Path(llama_cpp.__file__).parent / "lib").glob("libggml-base.so"))))
# Elements of a block, its bytes, where its f16 numbers stand.
BLOCKS = {"q8_0": (32, 34, [0]), "q4_0": (32, 18, [0]), "q4_1": (32, 20, [0, 2]), "q5_0": (32, 22, [0]), "q5_1": (32, 24, [0, 2]),
          "q4_K": (256, 144, [0, 2]), "q5_K": (256, 176, [0, 2]), "q6_K": (256, 210, [208])}


def pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


def numbers(array):
    return [float(x) for x in array]


def decode(name, raw):
    elements, size, _ = BLOCKS[name]
    out = np.empty(len(raw) // size * elements, np.float32)
    getattr(GGML, f"dequantize_row_{name}")(pointer(raw), pointer(out), ctypes.c_int64(len(out)))
    return out


def some_blocks(rng, name):
    elements, size, halves = BLOCKS[name]
    blocks = rng.integers(0, 256, (2 if elements == 256 else 4, size), dtype=np.uint8)
    for block in blocks:
        for at in halves:
            block[at:at + 2] = np.frombuffer(np.float16(rng.normal(0, 0.1)).tobytes(), np.uint8)
    return blocks.reshape(-1)


def encode(name, values):
    if name in ("f16", "bf16"):
        out = np.empty(len(values), np.uint16)
        function = GGML.ggml_fp32_to_fp16_row if name == "f16" else GGML.ggml_fp32_to_bf16_row_ref
    else:
        elements, size, _ = BLOCKS[name]
        out = np.empty(len(values) // elements * size, np.uint8)
        function = getattr(GGML, f"quantize_row_{name}_ref")
    function(pointer(values), pointer(out), ctypes.c_int64(len(values)))
    return out.tobytes().hex()


def rows(rng):
    yield rng.normal(0, 0.05, 32)
    yield np.zeros(32)
    yield np.arange(-16, 16) / 2  # ties of Q8_0 and Q4_0
    yield np.where(np.arange(32) == 7, 40, rng.normal(0, 0.1, 32))
    yield np.where(np.arange(32) % 2 == 0, 1.5, -1.5)  # two of the largest magnitude
    yield rng.normal(0, 3e-5, 32)  # scales that are subnormal in f16
    yield rng.normal(0, 5000, 32)


def plain(rng):
    edges = [0.0, -0.0, 1, -2, 65504, 65519.996, 1e-7, 2**-24, 2**-25, 2**-25 * 1.0001, 2**-14, 2**-14 * (1 - 2**-12), 1 + 2**-11, 1 + 3 * 2**-11,
             1 + 2**-8, 1 + 3 * 2**-8, 3e38, 1e-40, -6.1e-5]
    return np.concatenate([np.array(edges), rng.normal(0, 1, 40), rng.normal(0, 1e-5, 40)]).astype(np.float32)


def main():
    GGML.ggml_quantize_init(ctypes.c_int(8))
    rng = np.random.default_rng(5)
    golden = {"decoded": {}, "encoded": {}}
    for name in BLOCKS:
        raw = some_blocks(rng, name)
        golden["decoded"][name] = {"bytes": raw.tobytes().hex(), "values": numbers(decode(name, raw))}
    values = np.concatenate(list(rows(rng))).astype(np.float32)
    for name in ("q8_0", "q4_0"):
        golden["encoded"][name] = {"values": numbers(values), "bytes": encode(name, values)}
    values = plain(rng)
    golden["encoded"]["bf16"] = {"values": numbers(values), "bytes": encode("bf16", values)}
    values = values[np.abs(values) < 65520]
    golden["encoded"]["f16"] = {"values": numbers(values), "bytes": encode("f16", values)}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
