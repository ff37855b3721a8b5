"""Tokenisers trained here by Hugging Face tokenizers: Danlu gives the same ids, and so does Python on what Danlu saves."""

import json
import pathlib
import random
import subprocess
import sys

import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK = (r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"""
            r"|\s*[\r\n]+|\s+(?!\S)|\s+")
PROSE = ["the cat's sat on the mat, and the Cat'LL not stop: 12345 times\n\n  again", "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。",
         "def f(x):\r\n\treturn x[0] + 'don\\'t'  # ok\n", "naïve café, e\u0301 n\u0303, ﬁ Ａ ①", "😀👍🏽👨\u200d👩\u200d👧 🇨🇳"]


def some_texts(count):
    rng = random.Random(7)
    characters = [chr(c) for low, high in [(1, 0x7F), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x52F), (0x5D0, 0x5EA), (0x900, 0x97F),
                                           (0x1E00, 0x1EFF), (0x2000, 0x206F), (0x3000, 0x30FF), (0x4E00, 0x4EFF), (0xAC00, 0xAC7F),
                                           (0x1F600, 0x1F64F)] for c in range(low, high + 1)]
    for _ in range(count):
        parts = [rng.choice(PROSE)[rng.randrange(5):] if rng.random() < 0.2 else rng.choice([" ", "\n", "  ", "'s", "'LL", "99"])
                 if rng.random() < 0.4 else rng.choice(characters) for _ in range(rng.randrange(30))]
        yield "".join(parts)


def byte_level(pattern=None, **kinds):
    """A pattern of None is GPT-2's, which ByteLevel has in itself."""
    tokenizer = Tokenizer(models.BPE(**kinds))
    tokenizer.decoder = decoders.ByteLevel()
    if pattern is None:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        steps = [pre_tokenizers.Split(Regex(p), "isolated") for p in pattern]
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    return tokenizer


def tokenizers():
    yield "gpt2", byte_level()
    prefix = byte_level()
    prefix.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    prefix.normalizer = normalizers.NFKC()
    yield "prefix space and NFKC", prefix
    llama = byte_level([CL100K], ignore_merges=True)
    llama.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    yield "llama3", llama
    qwen = byte_level([CL100K.replace("{1,3}", "")])
    qwen.normalizer = normalizers.NFC()
    yield "qwen", qwen
    yield "deepseek", byte_level([r"\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+", DEEPSEEK])
    behaviors = byte_level()
    behaviors.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(" ", "merged_with_next"), pre_tokenizers.Split(Regex("[.,。，]"), "merged_with_previous"),
        pre_tokenizers.Split(Regex(r"[\p{L}']+"), "contiguous"), pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    yield "behaviors of Split", behaviors
    characters = Tokenizer(models.BPE(unk_token="<unk>"))
    characters.pre_tokenizer = pre_tokenizers.Digits(individual_digits=False)
    characters.decoder = decoders.Fuse()
    yield "characters", characters


def main():
    program, work = sys.argv[1], pathlib.Path(sys.argv[2])
    texts = PROSE + list(some_texts(3000))
    for name, tokenizer in tokenizers():
        alphabet = [] if name == "characters" else pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=700, show_progress=False, initial_alphabet=alphabet, special_tokens=["<unk>", "<s>", "</s>"])
        tokenizer.train_from_iterator(texts[:1000], trainer)
        folder = work / f"tokenizer {name}"
        fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
        fast.save_pretrained(folder)

        result = subprocess.run([program, folder, folder / "saved"], input="\n".join(map(json.dumps, texts)), capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        answers = [json.loads(line) for line in result.stdout.split("\n")[:-1]]
        saved = Tokenizer.from_file(str(folder / "saved" / "tokenizer.json"))
        loaded = transformers.AutoTokenizer.from_pretrained(folder / "saved")
        assert (loaded.bos_token, loaded.eos_token, len(loaded)) == ("<s>", "</s>", len(fast)), loaded
        count = 0
        for text, answer in zip(texts, answers, strict=True):
            expected = tokenizer.encode(text, add_special_tokens=False).ids
            assert answer["ids"] == expected, f"{name}: {text!r} is {expected}, to danlu {answer['ids']}"
            assert saved.encode(text, add_special_tokens=False).ids == expected, f"{name}: saved by danlu, {text!r} has other ids"
            if name != "characters":  # where <unk> has no text
                assert answer["text"] == tokenizer.decode(expected), f"{name}: {text!r} became {answer['text']!r}"
            count += len(expected)
        assert saved.encode("a").ids == tokenizer.encode("a").ids, f"{name}: the token before a text is lost"
        print(f"interop: tokenizer of kind {name}: {count} ids the same, both ways")


if __name__ == "__main__":
    main()
