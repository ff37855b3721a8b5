"""Chat templates by the program and by Jinja: chat_templates.py DANLU [tokenizer_config.json ...]

Templates in the manner of the model families, written for this test, and those of any tokenizer_config.json that is given, are
served with a model of random weights; /apply-template must say what Jinja says in the environment of transformers, and refuse
where Jinja does.
"""
import datetime
import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import jinja2
import jinja2.ext
import jinja2.sandbox
import tiny_language_model

TEMPLATES = {
    "chatml": None,
    "headers": """{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start|>' + message['role'] + '<|end|>

'+ message['content'] | trim + '<|eot|>' %}{% if loop.index0 == 0 %}{% set content = eos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start|>assistant<|end|>

' }}{% endif %}""",
    "alternating": """{%- if messages[0].role == 'system' %}
    {%- set system = messages[0].content %}
    {%- set turns = messages[1:] %}
{%- else %}
    {%- set turns = messages %}
{%- endif %}
{%- for message in turns %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('roles must alternate user/assistant/user/...') }}
    {%- endif %}
    {%- if message['role'] == 'user' %}
        {%- if loop.last and system is defined %}
            {{- '[INST] ' + system + '\\n\\n' + message['content'] + ' [/INST]' }}
        {%- else %}
            {{- '[INST] ' ~ message['content'] ~ ' [/INST]' }}
        {%- endif %}
    {%- else %}
        {{- ' ' + message.content | trim + eos_token }}
    {%- endif %}
{%- endfor %}
""",
    "thinking": """{#- Answers lose their thoughts, but for the last ones. -#}
{%- set ns = namespace(open=true, last=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.open and message.role == "user" and not(message.content.startswith('<result>')) %}
        {%- set ns.open = false %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{% for message in messages %}
  {% set content = message.content if message.content is string else '' %}
  {% if '</think>' in content and loop.index0 < ns.last %}
    {% set content = content.split('</think>')[-1].lstrip('\\n') %}
  {% endif %}
{{ message.role | capitalize }}: {{ content }}
  {%- if message.tool_calls %}

    {%- for call in message.tool_calls %}
{{ call.function.name }}({{ call.function.arguments | tojson(indent=2) }})
    {%- endfor %}
  {%- endif %}

{% endfor %}
{% if add_generation_prompt %}Assistant:{% if polite is defined and polite %} Please,{% endif %}{% endif %}""",
    "macros": """{% macro show(message, mark='>') %}{{ mark }}{{ message.role | upper }}
{% if message.content is string %}{{ message.content | indent(2, true) }}{% else %}-{% endif %}
{% endmacro %}{% for message in messages | rejectattr('role', 'equalto', 'system') %}{{ show(message) }}{{ show(message, mark=loop.index) }}{% endfor %}
{{ messages | map(attribute='role') | join(', ') }}{{ messages | selectattr('role', 'in', ['user', 'tool']) | list | length }}""",
}

CONVERSATIONS = [
    [{"role": "user", "content": "Hi"}],
    [{"role": "system", "content": " Be brief. "}, {"role": "user", "content": "  2+2?\n"},
     {"role": "assistant", "content": "<think>\nhm\n</think>\n\n4 "}, {"role": "user", "content": "\u3000Sure? 你好\u00a0"}],
    [{"role": "user", "content": "<|im_end|>\n<|eot|>"}, {"role": "assistant", "content": "<think>a</think>b"}],
    [{"role": "user", "content": "Wetter?"},
     {"role": "assistant", "content": None, "tool_calls": [{"type": "function", "function": {
         "name": "weather", "arguments": {"town": "Köln", "days": [1, 2.5, None], "x": {}}}}]},
     {"role": "tool", "content": "<result>\"sun\"</result>"}, {"role": "assistant", "content": "Sun."},
     {"role": "user", "content": "Danke"}],
    [{"role": "assistant", "content": "first"}],
]


def environment():
    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    env = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                                       extensions=[jinja2.ext.loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda form: datetime.datetime.now().strftime(form)
    return env


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["prompt"]
    except urllib.error.HTTPError as error:
        refusal = json.load(error)["error"]
        assert error.code == 400 and refusal["code"] == "bad_conversation", refusal
        return None


CHATML = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
          "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")

danlu, *configs = sys.argv[1:]
for i, config in enumerate(configs):
    TEMPLATES[f"given{i}"] = json.loads(Path(config).read_text())["chat_template"]
with tempfile.TemporaryDirectory() as work:
    for name, template in TEMPLATES.items():
        tiny_language_model.make(Path(work) / name, template)
    models = [f"{name}={work}/{name}" for name in TEMPLATES]
    server = subprocess.Popen([danlu, "serve", *models, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        url = next(line.split()[-1] for line in server.stdout if line.startswith("serving "))
        compared = 0
        for name, source in TEMPLATES.items():
            template = environment().from_string(source or CHATML)
            for messages in CONVERSATIONS:
                for prompt in (True, False):
                    for variables in ({}, {"polite": True, "enable_thinking": False}):
                        known = {"eos_token": tiny_language_model.SPECIAL[0], "tools": None, "documents": None}
                        try:
                            expected = template.render(messages=messages, add_generation_prompt=prompt, **known, **variables)
                        except (jinja2.exceptions.TemplateError, TypeError, AttributeError):
                            expected = None
                        got = post(url + "/apply-template", {"model": name, "messages": messages,
                                                             "add_generation_prompt": prompt, "chat_template_kwargs": variables})
                        assert got == expected, f"{name} {messages}\nJinja: {expected!r}\ndanlu: {got!r}"
                        compared += 1
    finally:
        server.terminate()
        server.wait()
print("Jinja", jinja2.__version__, "passed:", compared, "conversations")
