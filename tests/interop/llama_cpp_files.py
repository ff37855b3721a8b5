"""llama.cpp on our GGUF files, and we on its own: tests/interop/llama_cpp_files.py LOGITS DIRECTORY

For the exports that gguf_files.py has left in DIRECTORY llama.cpp must find the same tokens in the same texts, and rank the next ones alike.
It then quantises one of them in ways that danlu only reads.
"""

import ctypes
import pathlib
import sys
import unicodedata

import llama_cpp
import numpy as np

from answers import TEXTS, ours

SILENT = llama_cpp.llama_log_callback(lambda *_: None)  # lives as long as the library
TOP = 10
NORMAL = [unicodedata.normalize("NFC", text) for text in TEXTS]  # which llama.cpp does not do
# Between logits, in units of their deviation: llama.cpp rounds what goes into a product of f16 or quantised weights too, and looks up the
# GELU of GPT-2 in f16.
TOLERANCE = {"f32": 1e-4, "f16": 0.03, "q8_0": 0.4, "q4_0": 0.6}
GELU = 0.01
ONLY_READ = {"Q4_K": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_S, "Q5_K": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_K_S, "Q6_K": llama_cpp.LLAMA_FTYPE_MOSTLY_Q6_K,
             "Q4_1": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_1, "Q5_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_0, "Q5_1": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_1}


def theirs(file):
    f32 = 0  # the cache of keys and values
    model = llama_cpp.Llama(str(file), n_ctx=256, logits_all=True, type_k=f32, type_v=f32, verbose=False, n_threads=2)
    answers = []
    for text in NORMAL:
        ids = model.tokenize(text.encode(), add_bos=False, special=False)
        model.reset()
        model.eval(ids)
        answers.append((ids, np.array(model.scores[:len(ids)])))
    vocabulary = llama_cpp.llama_model_get_vocab(model.model)
    return answers, {t for t in range(model.n_vocab()) if llama_cpp.llama_vocab_is_eog(vocabulary, t)}


def ranking(logits):
    return np.argsort(-logits, kind="stable")[:TOP]


def compare(what, file, program, tolerance):
    """Tokens the same and logits near; where nothing is rounded, the ten likeliest next tokens in the same order."""
    answers, ends = theirs(file)
    worst, rows, alike = 0, 0, 0
    for text, (ids, logits), mine in zip(NORMAL, answers, ours(program, file, NORMAL), strict=True):
        assert ids == mine["ids"], f"{what}: {text!r} is {ids}, to danlu {mine['ids']}"
        assert set(mine["eos"]) <= ends, f"{what}: {mine['eos']} end an answer, to llama.cpp {ends}"
        own = np.array(mine["logits"]).reshape(logits.shape)
        worst = max(worst, np.abs(own - logits).max() / own.std())
        rows += len(ids)
        alike += sum(np.array_equal(ranking(a), ranking(b)) for a, b in zip(own, logits))
    assert worst <= tolerance, f"{what}: logits differ by {worst} deviations"
    assert alike == rows or tolerance > TOLERANCE["f32"], f"{what}: {rows - alike} of {rows} rankings differ"
    print(f"interop: llama.cpp on {what}: tokens the same; {alike} of {rows} rankings the same to the tenth; logits within {worst:.1e} deviations")


def quantise(source, target, kind):
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = kind
    parameters.nthread = 2
    code = llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(parameters))
    assert code == 0, f"llama.cpp cannot quantise {source}"


def main():
    program, work = sys.argv[1], pathlib.Path(sys.argv[2])
    llama_cpp.llama_log_set(SILENT, None)
    for name in ("gpt2", "llama", "llama3", "qwen2", "qwen3", "wide"):
        for kind, tolerance in TOLERANCE.items():
            compare(f"{name} {kind}", work / f"{name}-{kind}.gguf", program, max(tolerance, GELU if name == "gpt2" else 0))
    for name, kind in ONLY_READ.items():
        file = work / f"wide-{name}.gguf"
        quantise(work / "wide-f32.gguf", file, kind)
        compare(f"its own {name}", file, program, TOLERANCE["q4_0"])


if __name__ == "__main__":
    main()
