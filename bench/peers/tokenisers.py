"""The peers of bpe-train and tokenise:  tokenisers.py WORKLOAD SETTING TEXT TOKENISER, a setting as JSON {"library": ...}.

The texts are the paragraphs of TEXT. tokenizers and tiktoken encode with the merges that Danlu has learnt; SentencePiece has symbols and a way to cut of
its own, and a model of the same size that it learns first. Threads are those of OMP_NUM_THREADS.
"""
import importlib
import io
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from measure import answer  # noqa: E402

MERGES = 8192
GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
THREADS = int(os.environ["OMP_NUM_THREADS"])
os.environ["RAYON_NUM_THREADS"] = str(THREADS)
os.environ["TOKENIZERS_PARALLELISM"] = "true"


def train_tokenizers(texts):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    trainer = trainers.BpeTrainer(vocab_size=256 + MERGES, min_frequency=2, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer, length=len(texts))
    return tokenizer.get_vocab_size() - 256


def train_rustbpe(texts):
    import rustbpe
    rustbpe.Tokenizer().train_from_iterator(iter(texts), 256 + MERGES, pattern=GPT2)
    return MERGES


def train_sentencepiece(texts):
    import sentencepiece
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(texts), model_writer=model, model_type="bpe", vocab_size=256 + MERGES, byte_fallback=True,
                                             num_threads=THREADS, max_sentence_length=1 << 20, hard_vocab_limit=False, minloglevel=2)
    return model.getvalue()


def bytes_of_tokens(folder):
    """The ranks of tiktoken, from the tokenizer.json that Danlu writes: its characters stand for bytes."""
    printable = [b for b in range(256) if 0x20 < b < 0x7F or 0xA0 < b != 0xAD]
    rest = [b for b in range(256) if b not in printable]
    byte_of = {chr(b): b for b in printable} | {chr(256 + i): b for i, b in enumerate(rest)}
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    return {bytes(byte_of[c] for c in token): rank for token, rank in vocabulary.items()}


def encode_tokenizers(texts, folder):
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return lambda: sum(len(e.ids) for e in tokenizer.encode_batch_fast(texts, add_special_tokens=False))


def encode_tiktoken(texts, folder):
    import tiktoken
    encoding = tiktoken.Encoding("danlu", pat_str=GPT2, mergeable_ranks=bytes_of_tokens(folder), special_tokens={})
    return lambda: sum(map(len, encoding.encode_ordinary_batch(texts, num_threads=THREADS)))


def encode_sentencepiece(texts, _):
    import sentencepiece
    processor = sentencepiece.SentencePieceProcessor(model_proto=train_sentencepiece(texts))
    return lambda: sum(map(len, processor.encode(texts, num_threads=THREADS)))


def main():
    workload, library = sys.argv[1], json.loads(sys.argv[2])["library"]
    texts = [part for part in pathlib.Path(sys.argv[3]).read_text(encoding="utf-8").split("\n\n") if part]
    train = {"tokenizers": train_tokenizers, "rustbpe": train_rustbpe, "sentencepiece": train_sentencepiece}
    encode = {"tokenizers": encode_tokenizers, "tiktoken": encode_tiktoken, "sentencepiece": encode_sentencepiece}
    try:
        module = importlib.import_module(library)
    except ImportError:
        print(json.dumps({"missing": f"{library} is not installed"}), flush=True)
        return
    step = (lambda: train[library](texts)) if workload == "bpe-train" else encode[library](texts, pathlib.Path(sys.argv[4]))
    items = step() if library != "sentencepiece" else 0  # its own symbols: not to be compared
    answer(step, {"version": f"{library} {getattr(module, '__version__', '')}".strip(), "items": items})


if __name__ == "__main__":
    main()
