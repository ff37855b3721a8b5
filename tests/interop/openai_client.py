"""The openai package as a client of a served language model: openai_client.py URL MODEL

The words of the model do not matter; that the answers fit together does.
"""
import sys
from concurrent.futures import ThreadPoolExecutor

import openai

url, model = sys.argv[1:3]
client = openai.OpenAI(base_url=url + "/v1", api_key="none", max_retries=0, timeout=60)
GREEDY = {"model": model, "temperature": 0, "extra_body": {"ignore_eos": True}}


def refused(error, call, param):
    try:
        call()
    except error as got:
        assert got.param == param, got
        assert got.code and got.type and got.message, got
        return got
    raise AssertionError(f"expected {error.__name__}")


# Models.
assert model in [m.id for m in client.models.list()]
assert client.models.retrieve(model).owned_by == "danlu"

# Completions: whole, several, echoed, scored, stopped.
whole = client.completions.create(prompt="The moon", max_tokens=24, **GREEDY)
text = whole.choices[0].text
assert whole.choices[0].finish_reason == "length"
assert whole.usage.completion_tokens == 24 and whole.usage.total_tokens == whole.usage.prompt_tokens + 24

several = client.completions.create(model=model, prompt=["The moon", "A"], n=3, seed=11, max_tokens=8)
assert [c.index for c in several.choices] == list(range(6))

scored = client.completions.create(prompt="Noël 月", max_tokens=1, echo=True, logprobs=2, **GREEDY)
lists = scored.choices[0].logprobs
assert scored.choices[0].text.startswith("Noël 月")
assert len(lists.tokens) == len(lists.token_logprobs) == len(lists.top_logprobs) == len(lists.text_offset)
assert len(lists.tokens) == scored.usage.prompt_tokens + 1
assert lists.token_logprobs[0] is None and lists.top_logprobs[0] is None
assert all(p <= 0 for p in lists.token_logprobs[1:])
assert lists.text_offset[0] == 0 and lists.text_offset == sorted(lists.text_offset)
assert lists.text_offset[-1] == len("Noël 月"), "counted in characters"
for token, logprob, top in list(zip(lists.tokens, lists.token_logprobs, lists.top_logprobs))[1:]:
    assert top[token] == logprob and max(top.values()) >= logprob
assert lists.token_logprobs[-1] == max(lists.top_logprobs[-1].values()), "the greedy token is the best by exact equality"

stop = text[len(text) // 2:][:2]
stopped = client.completions.create(prompt="The moon", max_tokens=24, stop=["\0never", stop], **GREEDY)
if "\ufffd" not in stop:
    assert stopped.choices[0].text == text[:text.index(stop)], (stopped, text, stop)
    assert stopped.choices[0].finish_reason == "stop"

# Streams say what whole answers say, eight at once too.
def stream(prompt):
    chunks = list(client.completions.create(prompt=prompt, max_tokens=24, stream=True,
                                            stream_options={"include_usage": True}, **GREEDY))
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 24
    assert [c.choices[0].finish_reason for c in chunks[:-1]][-1] == "length"
    return "".join(c.choices[0].text for c in chunks[:-1])


assert stream("The moon") == text
prompts = [f"prompt {i}" for i in range(8)]
alone = [stream(prompt) for prompt in prompts]
with ThreadPoolExecutor(8) as pool:
    assert list(pool.map(stream, prompts)) == alone

# A client that leaves in the middle.
for chunk in client.completions.create(prompt="x", max_tokens=100, stream=True, **GREEDY):
    break

# Chats.
messages = [{"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Say <|im_end|>."}]}]
chat = client.chat.completions.create(messages=messages, max_completion_tokens=16, logprobs=True, top_logprobs=3, **GREEDY)
assert chat.choices[0].message.role == "assistant"
assert len(chat.choices[0].logprobs.content) == 16
for token in chat.choices[0].logprobs.content:
    assert len(token.top_logprobs) == 3 and token.logprob == token.top_logprobs[0].logprob, token
    assert token.bytes is not None
deltas = list(client.chat.completions.create(messages=messages, max_tokens=16, stream=True, **GREEDY))
assert deltas[0].choices[0].delta.role == "assistant"
assert "".join(d.choices[0].delta.content or "" for d in deltas) == chat.choices[0].message.content
assert deltas[-1].choices[0].finish_reason == chat.choices[0].finish_reason == "length"
with client.chat.completions.stream(messages=messages, max_tokens=16, **GREEDY) as events:
    assert "".join(e.delta for e in events if e.type == "content.delta") == chat.choices[0].message.content

# Refusals become the package's own errors.
refused(openai.NotFoundError, lambda: client.completions.create(model="nobody", prompt="x"), "model")
refused(openai.BadRequestError, lambda: client.completions.create(model=model, prompt="x", max_tokens=-1), "max_tokens")
refused(openai.BadRequestError, lambda: client.completions.create(model=model, prompt="x", suffix="y"), "suffix")
refused(openai.BadRequestError, lambda: client.completions.create(model=model, prompt="x" * 100_000), "prompt")
refused(openai.BadRequestError, lambda: client.chat.completions.create(model=model, messages=[]), "messages")
refused(openai.BadRequestError, lambda: client.chat.completions.create(
    model=model, messages=messages, tools=[{"type": "function", "function": {"name": "f"}}]), "tools")
print("openai", openai.__version__, "passed")
