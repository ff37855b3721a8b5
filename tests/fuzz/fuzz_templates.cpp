// Chat templates, damaged: each is refused, or prints something within its limits.
#include "danlu/infer/jinja/template.h"
#include "tests/fuzz/fuzz.h"

int main(int argc, char** argv) {
  using namespace danlu::infer::jinja;
  const danlu::Json messages = danlu::Json::parse(
      R"([{"role": "system", "content": " Be brief. "}, {"role": "user", "content": "你好\n<|im_end|>"},
          {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": {"a": [1, 2.5]}}}]}])");
  const std::vector<std::string> samples = {
      "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message.content | trim }}{% endfor "
      "%}",
      "{%- set ns = namespace(found=false, last=messages|length - 1) %}\n{%- for m in messages[::-1] %}\n"
      "  {%- if ns.found is not defined or m.role == \"user\" and not(m.content.startswith('<x>')) %}\n"
      "    {%- set ns.last = loop.index0 %}{%- endif %}\n{%- endfor %}{{ ns.last }}",
      "{% macro render(x, depth=0) %}{% if x is mapping %}{% for k, v in x.items() %}{{ k }}: {{ render(v, depth + 1) "
      "}}"
      "{% endfor %}{% elif x is iterable and x is not string %}{{ x | join(', ') }}{% else %}{{ x }}{% endif %}{% "
      "endmacro %}"
      "{{ render(messages[2]) }}",
      "{% set x %}block {{ 1 if true else 2 }}{% endset %}{{ x * 3 }}{{ x[1:-1:2] }}{{ 'a' ~ 1.5 ~ none }}",
      "{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | list | tojson(indent=2) }}",
      "{% for i in range(3, 30, 4) if i is odd %}{% if i > 20 %}{% break %}{% endif %}{{ loop.previtem }}{% else %}-{% "
      "endfor %}",
      "{{ messages[1]['content'].split('\\n')[-1].lstrip('x') | replace('a', \"b\") | default('c', true) | upper | "
      "indent(2) }}",
      "{{ {'a': [1, (2, 3)], 'b': {}}['a'][1] | last | string | int + 7 // 2 ** 3 % 5 - -1 }}{# comment #}{{ "
      "'\\u4f60\\x41' }}",
      "{{ raise_exception('no') if messages[0].role != 'system' else strftime_now('%d %b %Y') }}",
  };
  return danlu::test::fuzz(argc, argv, samples, [&](const std::string& source) {
    const Template parsed(source);
    static_cast<void>(parsed.render({{"messages", Value::from_json(messages, Text::Origin::user)},
                                     {"add_generation_prompt", true},
                                     {"bos_token", "<s>"}}));
  });
}
