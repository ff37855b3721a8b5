"""Folders of transformers in danlu and back: tests/interop/transformers_folders.py DANLU LOGITS DIRECTORY

Small networks with random weights and trained tokenisers are saved by transformers. Our token ids and logits must be its
own. Then `danlu import` writes each again, and transformers must get the same from what we wrote.
"""

import pathlib
import subprocess
import sys

import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from answers import TEXTS, ours

TOLERANCE = 1e-4
QWEN_SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
TEMPLATE = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def gpt2_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def qwen_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN_SPLIT), "isolated"),
                                                       pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def trained(tokenizer):
    corpus = [p.read_text() for p in sorted(pathlib.Path(__file__).parent.glob("*.py"))] + TEXTS * 3
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=600, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>",
                                                chat_template=TEMPLATE)


def networks(vocab_size):
    """Name, network, type of the weights on disk, size of a shard."""
    t = transformers
    ends = {"vocab_size": vocab_size, "bos_token_id": None, "eos_token_id": [2, 0], "pad_token_id": 0, "initializer_range": 0.1}
    sizes = {**ends, "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 3, "num_attention_heads": 6, "num_key_value_heads": 2,
             "max_position_embeddings": 256}
    llama3 = {"rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
              "original_max_position_embeddings": 64}
    yield "gpt2", t.GPT2LMHeadModel(t.GPT2Config(**ends, n_embd=48, n_layer=3, n_head=6, n_positions=256)), torch.float32, "1GB"
    yield "llama", t.LlamaForCausalLM(t.LlamaConfig(**sizes)), torch.float32, "1GB"
    yield "llama3", t.LlamaForCausalLM(t.LlamaConfig(**sizes, rope_parameters=llama3, tie_word_embeddings=True)), torch.bfloat16, "100KB"
    yield "qwen2", t.Qwen2ForCausalLM(t.Qwen2Config(**sizes)), torch.bfloat16, "1GB"
    yield "qwen3", t.Qwen3ForCausalLM(t.Qwen3Config(**sizes, head_dim=16, tie_word_embeddings=True)), torch.float16, "1GB"
    yield "wide", t.LlamaForCausalLM(t.LlamaConfig(**{**sizes, "hidden_size": 256, "intermediate_size": 512, "num_attention_heads": 8})), torch.bfloat16, "1GB"


def theirs(folder):
    """Ids and logits of every text, and the tokens that end an answer, by transformers."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    answers = []
    for text in TEXTS:
        # A text that spells a special token is plain text to us, always.
        ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        with torch.no_grad():
            answers.append((ids, model(torch.tensor([ids])).logits[0]))
    chat = tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False)
    return answers, model.generation_config.eos_token_id, chat, model.state_dict()


def compare(what, expected, got):
    """The largest difference of logits. Ids must be the same."""
    assert len(expected) == len(got)
    largest = 0.0
    for (ids, logits), (other_ids, other_logits) in zip(expected, got):
        assert ids == other_ids, f"{what}: ids {ids} became {other_ids}"
        largest = max(largest, (logits - other_logits).abs().max().item())
    assert largest < TOLERANCE, f"{what}: logits differ by {largest}"
    return largest


def main():
    danlu, program, work = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    torch.manual_seed(1)
    for name, model, dtype, shard in networks(640):
        folder = work / name
        model.to(dtype).save_pretrained(folder, max_shard_size=shard)
        trained(gpt2_tokenizer() if name == "gpt2" else qwen_tokenizer()).save_pretrained(folder)
        expected, eos, chat, weights = theirs(folder)

        answers = ours(program, folder)
        got = [(a["ids"], torch.tensor(a["logits"]).reshape(len(a["ids"]), -1)) for a in answers]
        into = compare(f"{name}: danlu on the folder of transformers", expected, got)
        assert answers[0]["eos"] == eos, (answers[0]["eos"], eos)

        subprocess.run([danlu, "import", folder, "--name", name, "--runs", work / "runs"], check=True, capture_output=True)
        bundle = work / "runs" / name / "bundle"
        back, eos_back, chat_back, weights_back = theirs(bundle)
        out = compare(f"{name}: transformers on the bundle of danlu", expected, back)
        assert (eos_back, chat_back) == (eos, chat), (eos_back, eos, chat_back, chat)
        for key, value in weights.items():
            assert torch.equal(value, weights_back[key]), f"{name}: {key} changed"
        tokens = sum(len(ids) for ids, _ in expected)
        print(f"interop: {name}: {tokens} ids the same both ways; largest difference of logits {into:.1e} in, {out:.1e} back")


if __name__ == "__main__":
    main()
