"""lm-evaluation-harness against a served language model: lm_eval_client.py URL MODEL

A multiple-choice task and a generation task run by the harness over /v1/completions, once with its own cutting into tokens
(by the server's /tokenize) and once with strings; likelihoods as its gguf client reads them. What the harness finds must be what
the log-probabilities of the server add up to.
"""
import json
import math
import os
import random
import sys
import tempfile
import urllib.request
from pathlib import Path

os.environ["HF_DATASETS_OFFLINE"] = os.environ["HF_HUB_OFFLINE"] = "1"
import lm_eval  # noqa: E402
from lm_eval.api.instance import Instance  # noqa: E402
from lm_eval.models.gguf import GGUFLM  # noqa: E402
from lm_eval.models.openai_completions import LocalCompletionsAPI  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402

url, model = sys.argv[1:3]


def post(path, **body):
    request = urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def likelihood(context, continuation):
    """The direct sum over the continuation's tokens, and whether each was the best."""
    whole = post("/tokenize", model=model, prompt=context + continuation, add_special_tokens=False)["tokens"]
    begin = len(post("/tokenize", model=model, prompt=context, add_special_tokens=False)["tokens"])
    answer = post("/v1/completions", model=model, prompt=[whole], max_tokens=0, echo=True, logprobs=1)
    lists = answer["choices"][0]["logprobs"]
    best = [max(top.values()) for top in lists["top_logprobs"][begin:]]
    logprobs = lists["token_logprobs"][begin:]
    return sum(logprobs), logprobs == best


random.seed(5)
words = ["moon", "river", "née", "炉火", "a longer phrase, with a comma", "42"]
questions = [{"question": f"Which word follows {random.choice(words)} in row {i}?",
              "choices": random.sample(words, 3), "answer": i % 3} for i in range(20)]

folder = Path(tempfile.mkdtemp())
(folder / "questions.jsonl").write_text("".join(json.dumps(q) + "\n" for q in questions))
dataset = f"""dataset_path: json
dataset_kwargs:
  data_files:
    test: {folder}/questions.jsonl
test_split: test
doc_to_text: "Question: {{{{question}}}}\\nAnswer:"
"""
(folder / "choice.yaml").write_text("task: tiny_choice\n" + dataset + """output_type: multiple_choice
doc_to_choice: "{{choices}}"
doc_to_target: answer
metric_list:
  - metric: acc
""")
(folder / "generate.yaml").write_text("task: tiny_generate\n" + dataset + """output_type: generate_until
doc_to_target: "{{choices[answer]}}"
generation_kwargs:
  until: ["\\n", "Question:"]
  max_gen_toks: 12
  temperature: 0
metric_list:
  - metric: exact_match
""")

expected = [[likelihood(f"Question: {q['question']}\nAnswer:", " " + choice) for choice in q["choices"]] for q in questions]
accuracy = sum(max(range(3), key=lambda i: row[i][0]) == q["answer"] for q, row in zip(questions, expected)) / len(questions)

tasks = TaskManager(include_path=str(folder), include_defaults=False)
for arguments in ({"num_concurrent": 4, "batch_size": 5}, {"num_concurrent": 1, "batch_size": 1}):
    result = lm_eval.simple_evaluate(
        model="local-completions",
        model_args={"model": model, "base_url": url + "/v1/completions", "max_length": 512, "max_retries": 1,
                    "num_concurrent": arguments["num_concurrent"]},
        batch_size=arguments["batch_size"], tasks=["tiny_choice", "tiny_generate"], task_manager=tasks,
        bootstrap_iters=0, log_samples=True)
    assert result["results"]["tiny_choice"]["acc,none"] == accuracy, (result["results"], accuracy)
    for sample in result["samples"]["tiny_choice"]:
        for (logprob, greedy), (sure, sure_greedy) in zip(sample["filtered_resps"], expected[sample["doc_id"]]):
            assert math.isclose(float(logprob), sure, abs_tol=1e-3), (logprob, sure)
            assert (str(greedy) == "True") == sure_greedy
    for sample in result["samples"]["tiny_generate"]:
        prompt = sample["arguments"]["gen_args_0"]["arg_0"] if isinstance(sample["arguments"], dict) else sample["arguments"][0][0]
        direct = post("/v1/completions", model=model, prompt=prompt, max_tokens=12, temperature=0,
                      stop=["\n", "Question:"])["choices"][0]["text"]
        assert sample["resps"][0][0].strip() == direct.strip(), (sample["resps"], direct)

# The client of llama.cpp's servers sends strings and finds the continuation by counting characters.
gguf = GGUFLM(base_url=url)
pairs = [(f"Question: {q['question']}\nAnswer:", " " + c) for q in questions for c in q["choices"]]
found = gguf.loglikelihood([Instance("loglikelihood", {}, pair, i) for i, pair in enumerate(pairs)])
for pair, (logprob, greedy), (sure, sure_greedy) in zip(pairs, found, [one for row in expected for one in row]):
    assert math.isclose(logprob, sure, abs_tol=1e-3) and (not greedy or sure_greedy), (pair, logprob, sure)

# The whole text, in windows.
text = " ".join(q["question"] for q in questions)
api = LocalCompletionsAPI(base_url=url + "/v1/completions", model=model, max_length=256)
rolling = api.loglikelihood_rolling([Instance("loglikelihood_rolling", {}, (text,), 0)])[0]
assert rolling < 0 and math.isfinite(rolling)
print("lm-evaluation-harness", lm_eval.__version__, "passed: accuracy", accuracy)
