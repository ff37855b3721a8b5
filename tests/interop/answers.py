"""Texts to try models on, and what danlu makes of them."""

import json
import subprocess

TEXTS = [
    "The furnace is lit.",
    "  two  spaces,\ttabs\r\n\nand lines   ",
    "I'll pay 1234567.89 on 2026-01-31; you've paid, WE'RE done!",
    "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。",
    "Ünïcödé, e\u0301 and \U0001F525\U0001F9EA ＡＢＣ",
    "def f(x):\n    return {'a': [x ** 2]}  # <|im_end|>",
]


def ours(program, model, texts=TEXTS):
    """Ids and logits of every text by interop_logits, and the tokens that end an answer."""
    result = subprocess.run([program, model], input="\n".join(json.dumps(text) for text in texts), capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]
