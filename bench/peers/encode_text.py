#!/usr/bin/env python3
"""Encoding by Danlu and Hugging Face tokenizers, on one thread: same tokeniser, same text, in turn, in one run.

    python3 bench/peers/encode_text.py build/bench/bench/bench_tokenize tokenizer.json text.txt [--rounds 3] [--piece 10000]

Times are those of the processor. Hugging Face tokenizers works by encode_batch_fast, which leaves out the offsets, on pieces
cut where a line ends: as it is used for corpora. The ids are compared; they differ where the text spells added tokens, as
Danlu takes all text as plain text. A directory with encoder.json and vocab.bpe (GPT-2's own files) is taken as well.
Needs: pip install tokenizers numpy
"""
import argparse
import os
import pathlib
import subprocess
import tempfile
import time

import numpy as np

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
import tokenizers  # noqa: E402  (reads the environment)


def load(path):
    if path.is_dir():
        model = tokenizers.models.BPE.from_file(str(path / "encoder.json"), str(path / "vocab.bpe"))
        tokenizer = tokenizers.Tokenizer(model)
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        return tokenizer
    return tokenizers.Tokenizer.from_file(str(path))


def cut(text, size):
    """Pieces of about `size` characters, cut where no pattern looks across: "x\\n" before a letter."""
    pieces, begin = [], 0
    while len(text) - begin > size:
        at = begin + size
        while at < len(text) and not (text[at - 2].isalnum() and text[at - 1] == "\n" and text[at].isascii() and text[at].isalpha()):
            at += 1
        pieces.append(text[begin:at])
        begin = at
    return pieces + [text[begin:]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="path of bench_tokenize")
    parser.add_argument("tokenizer", type=pathlib.Path, help="tokenizer.json, or a directory of GPT-2's files")
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--piece", type=int, default=10_000, help="characters that the peer gets at a time")
    args = parser.parse_args()

    start = time.process_time()
    peer = load(args.tokenizer)
    peer_load = time.process_time() - start
    text = args.text.read_bytes().decode()
    pieces = cut(text, args.piece)
    with tempfile.TemporaryDirectory() as folder:
        ids_path = pathlib.Path(folder, "ids")
        danlu = subprocess.Popen([args.program, args.tokenizer, args.text, ids_path], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
        load_seconds = float(danlu.stdout.readline())
        ours, theirs = [], []
        for _ in range(args.rounds):
            danlu.stdin.write("\n")
            danlu.stdin.flush()
            ours.append(float(danlu.stdout.readline()))
            start = time.process_time()
            encoded = [e.ids for e in peer.encode_batch_fast(pieces, add_special_tokens=False)]
            theirs.append(time.process_time() - start)
        danlu.stdin.close()
        lossless = danlu.wait() == 0
        got = np.fromfile(ids_path, np.int32)
    expected = np.concatenate([np.array(ids, np.int32) for ids in encoded])

    megabytes = len(text.encode()) / 1e6
    print(f"{args.tokenizer}: {megabytes:.1f} MB, {len(got)} tokens")
    print(f"load    danlu {load_seconds:.3f} s, tokenizers {tokenizers.__version__} {peer_load:.3f} s")
    print(f"encode  danlu {megabytes / min(ours):.1f} MB/s, tokenizers {megabytes / min(theirs):.1f} MB/s, "
          f"ratio {min(theirs) / min(ours):.1f}")
    size = min(len(got), len(expected))
    differ = np.flatnonzero(got[:size] != expected[:size])
    if len(got) == len(expected) and not len(differ):
        print("ids     equal")
    else:
        at = int(differ[0]) if len(differ) else size
        print(f"ids     differ from number {at} of {len(expected)} on: after "
              f"{peer.decode(expected[max(at - 5, 0):at].tolist())!r} danlu {peer.decode(got[at:at + 5].tolist())!r}, "
              f"tokenizers {peer.decode(expected[at:at + 5].tolist())!r}")
    print(f"decode  {'gives the text' if lossless else 'gives another text, as normalisers do'}")


if __name__ == "__main__":
    main()
