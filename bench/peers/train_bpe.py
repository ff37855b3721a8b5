#!/usr/bin/env python3
"""Training of byte-level BPE by Danlu, Hugging Face tokenizers, rustbpe and SentencePiece: same texts, in turn, in one run.

    python3 bench/peers/train_bpe.py build/bench/bench/bench_train_bpe corpus.txt [--vocab 8448] [--threads 2] [--rounds 5]

The corpus is divided into texts at blank lines. 8448 tokens are the 256 bytes and 8192 merges. Danlu and tokenizers cut texts
by the pattern of GPT-2 and have to learn the same merges; rustbpe is given the same pattern; SentencePiece has characters
for symbols and its own way to cut, and is shown for its time alone. Peers that are not installed are left out.
Needs: pip install tokenizers rustbpe sentencepiece
"""
import argparse
import importlib
import io
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def byte_ids():
    """The ids of bytes by the characters that stand for them in files of byte-level tokenisers."""
    printable = [b for b in range(256) if 0x20 < b < 0x7F or 0xA0 < b != 0xAD]
    rest = [b for b in range(256) if b not in printable]
    return {chr(b): i for i, b in enumerate(printable)} | {chr(256 + i): len(printable) + i for i in range(len(rest))}


def train_tokenizers(texts, vocab, _):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    trainer = trainers.BpeTrainer(vocab_size=vocab, min_frequency=2, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer, length=len(texts))
    return tokenizer


def merges_of(tokenizer):
    import json
    ids = byte_ids()
    merges = []
    for left, right in json.loads(tokenizer.to_str())["model"]["merges"]:
        ids[left + right] = 256 + len(merges)
        merges.append((ids[left], ids[right]))
    return merges


def train_rustbpe(texts, vocab, _):
    import rustbpe
    tokenizer = rustbpe.Tokenizer()
    tokenizer.train_from_iterator(iter(texts), vocab, pattern=GPT2)
    return tokenizer


def train_sentencepiece(texts, vocab, threads):
    import sentencepiece
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, model_type="bpe", vocab_size=vocab, byte_fallback=True,
        num_threads=threads, max_sentence_length=1 << 20, hard_vocab_limit=False, minloglevel=2)
    return model


PEERS = {"tokenizers": train_tokenizers, "rustbpe": train_rustbpe, "sentencepiece": train_sentencepiece}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="path of bench_train_bpe")
    parser.add_argument("corpus", help="a text file")
    parser.add_argument("--vocab", type=int, default=8448)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    os.environ["RAYON_NUM_THREADS"] = str(args.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    text = pathlib.Path(args.corpus).read_text(encoding="utf-8").replace("\0", "")
    texts = [part for part in text.split("\n\n") if part]
    peers = {}
    for name, train in PEERS.items():
        try:
            peers[name] = (importlib.import_module(name).__version__, train)
        except AttributeError:
            peers[name] = ("", train)
        except ImportError:
            print(f"{name} is not installed")

    with tempfile.TemporaryDirectory() as folder:
        corpus, merges = pathlib.Path(folder, "corpus"), pathlib.Path(folder, "merges")
        corpus.write_bytes("\0".join(texts).encode())
        danlu = subprocess.Popen([args.program, corpus, str(args.vocab), merges], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)

        def danlu_seconds():
            danlu.stdin.write(f"{args.threads}\n")
            danlu.stdin.flush()
            return float(danlu.stdout.readline())

        ours, theirs = [], {name: [] for name in peers}
        danlu_seconds()
        for _ in range(args.rounds):
            ours.append(danlu_seconds())
            for name, (_, train) in peers.items():
                start = time.perf_counter()
                trained = train(texts, args.vocab, args.threads)
                theirs[name].append(time.perf_counter() - start)
                if name == "tokenizers":
                    reference = trained
        danlu.stdin.close()
        danlu.wait()
        learned = [tuple(map(int, line.split())) for line in merges.read_text().splitlines()]

    print(f"{len(text.encode()) / 1e6:.1f} MB, {len(texts)} texts, {args.vocab} tokens, {args.threads} threads, medians")
    print(f"danlu {statistics.median(ours):.3f} s (rounds {min(ours):.3f} to {max(ours):.3f})")
    for name, (version, _) in peers.items():
        ratio = statistics.median(t / o for t, o in zip(theirs[name], ours))
        print(f"{name} {version}: {statistics.median(theirs[name]):.3f} s   ratio {ratio:.1f}")
    if "tokenizers" in peers:
        expected = merges_of(reference)
        same = next((i for i, (a, b) in enumerate(zip(learned, expected)) if a != b), min(len(learned), len(expected)))
        print(f"merges: danlu {len(learned)}, tokenizers {len(expected)}, the same up to number {same}")


if __name__ == "__main__":
    main()
