// Templates against what Jinja 3.1 prints for them, in the environment that transformers uses (trim_blocks,
// lstrip_blocks).
#include "danlu/infer/jinja/template.h"

#include <gtest/gtest.h>

#include "danlu/base/error.h"
#include "danlu/base/timer.h"

namespace danlu::infer::jinja {
namespace {

constexpr const char* kVariables = R"json({
  "messages": [{"role": "system", "content": " Be brief. "}, {"role": "user", "content": "  2+2?\n"},
               {"role": "assistant", "content": "4"}, {"role": "user", "content": "Sure? 你好\u3000"}],
  "s": "  Hello wörld \n", "l": [1, 2, 3, "x", null, true, 2.5], "d": {"a": 1, "b": {"c": [1]}, "items": 5}, "n": 7,
  "f": -2.5, "e": "", "none_": null,
  "users": [{"n": "x", "age": 3, "r": "user"}, {"n": "y", "age": 30, "r": "sys"}, {"n": "z", "r": "user"}]})json";

std::vector<std::pair<std::string, Value>> variables(const std::string& json = kVariables) {
  std::vector<std::pair<std::string, Value>> values;
  const Json object = parse_json(json, "test");
  for (const auto& [name, value] : object.items()) {
    values.emplace_back(name, Value::from_json(value, name == "messages" ? Text::Origin::user : Text::Origin::program));
  }
  return values;
}

std::string render(const std::string& source) { return Template(source).render(variables()).bytes(); }

// The message of the DataError that reading or rendering ends with.
std::string refusal(const std::string& source) {
  try {
    return "printed " + render(source);
  } catch (const DataError& error) {
    return error.message();
  }
}

TEST(Template, PrintsWhatJinjaPrints) {
  struct Case {
    std::string source, expected;
  };
  const std::vector<Case> cases = {
      {"{{ s|trim }}|{{ s.strip() }}|{{ s.lstrip() }}|{{ s.rstrip('\\n ') }}|",
       "Hello wörld|Hello wörld|Hello wörld \n|  Hello wörld|"},
      {"{{ l|length }}{{ s|length }}{{ d|length }}{{ undefinedvar|length }}", "71530"},
      {"{{ l[0] }}{{ l[-1] }}{{ l[1:3]|tojson }}{{ l[::-1]|tojson }}{{ l[5:1:-2]|tojson }}{{ l[:-2]|tojson }}{{ "
       "l[100:]|tojson }}{{ l[99] }}",
       "12.5[2, 3][2.5, true, null, \"x\", 3, 2, 1][true, \"x\"][1, 2, 3, \"x\", null][]"},
      {"{{ s[2:7] }}{{ s[::-1] }}{{ s[8] }}{{ s[::2] }}{{ s[-3:] }}", "Hello\n dlröw olleH  w Hlowrd\nd \n"},
      {"{{ d.a }}{{ d['b'].c[0] }}{{ d['items'] }}{{ d.zzz }}{{ d.zzz is defined }}{{ d.b.c is defined }}",
       "115FalseTrue"},
      {"{{ none_.x }}", ""},
      {"{{ undefinedvar }}{{ undefinedvar is undefined }}", "True"},
      {"{{ 1 + 2 * 3 - 4 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7.5 % -2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ "
       "1/3 }} {{ 1e20 }} {{ 1e-5 }} {{ 100000.0 }} {{ 1e16 }} {{ 123456789012345680.0 }}",
       "5.0 3 -4 2 -0.5 1024 0.5 0.3333333333333333 1e+20 1e-05 100000.0 1e+16 1.2345678901234568e+17"},
      {"{{ 'a' + 'b' * 3 }} {{ 3 * 'ab' }}", "abbb ababab"},
      {"{{ 1 < 2 < 3 }} {{ 1 < 2 > 3 }} {{ 'a' < 'b' }} {{ 1 == 1.0 }} {{ 1 == true }} {{ 'x' == 1 }} {{ [1,2] == "
       "[1,2] }} {{ none == none }} {{ undefinedvar == none }}",
       "True False True True True False True True False"},
      {"{{ 'ell' in s }} {{ 2 in l }} {{ 'a' in d }} {{ 'q' not in d }} {{ not 'a' in d }} {{ 1 in undefinedvar }}",
       "True True True True False False"},
      {"{{ 'yes' if n > 3 else 'no' }} {{ 'yes' if n > 30 }}| {{ 'a' if false else 'b' if false else 'c' }}",
       "yes | c"},
      {"{{ n and e }}|{{ e or 'dflt' }}|{{ not e }}|{{ n or 1/0 }}", "|dflt|True|7"},
      {"{{ e|default('x') }}|{{ e|default('x', true) }}|{{ q|default('x') }}|{{ q|d }}|{{ none_|default('x') }}|{{ "
       "none_ | default('x', boolean=True) }}",
       "|x|x||None|x"},
      {"{{ l|join(', ') }} {{ users|join('-', attribute='n') }} {{ 'abc'|join('.') }}",
       "1, 2, 3, x, None, True, 2.5 x-y-z a.b.c"},
      {"{{ l|first }} {{ l|last }} {{ []|first }} {{ 'abc'|last }} {{ []|last is defined }}", "1 2.5  c False"},
      {"{{ 'hELLO wORLD-foo (bar)'|title }} {{ 'hELLO'|capitalize }} {{ 'abC'|upper }} {{ 'ABc'|lower }} {{ "
       "''|capitalize }}",
       "Hello World-Foo (Bar) Hello ABC abc "},
      {"{{ 'aXbXc'|replace('X','--') }} {{ 'aXbXc'|replace('X','--',1) }} {{ 'abc'.replace('b','') }} {{ "
       "'abc'|replace('','-') }}",
       "a--b--c a--bXc ac -a-b-c-"},
      {"{{ d|tojson }} {{ d|tojson(indent=2) }} {{ []|tojson(indent=2) }} {{ {}|tojson(indent=2) }} {{ "
       "\"q\\\"\\\\\\n\\té\\u0001\\x7f/<>\"|tojson }} {{ 1.0|tojson }} {{ none|tojson }}",
       "{\"a\": 1, \"b\": {\"c\": [1]}, \"items\": 5} {\n  \"a\": 1,\n  \"b\": {\n    \"c\": [\n      1\n    ]\n  },\n "
       " \"items\": 5\n} [] {} \"q\\\"\\\\\\n\\té\\u0001\177/<>\" 1.0 null"},
      {"{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ "
       "loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }};{% endfor %}",
       "1076TrueFalse72;2165FalseFalse713;3254FalseFalse72x;4343FalseFalse73None;5432FalseFalse7xTrue;"
       "6521FalseFalse7None2.5;7610FalseTrue7True;"},
      {"{% for x in [] %}a{% else %}empty{% endfor %}{% for x in undefinedvar %}a{% else %}u{% endfor %}", "emptyu"},
      {"{% for k, v in d.items() %}{{ k }}={{ v is mapping }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for "
       "k,v in d|items %}{{k}}{% endfor %}",
       "a=False;b=True;items=False;abitemsabitems"},
      {"{% for x in l if x is number %}{{ x }}/{{ loop.length }} {% endfor %}", "1/5 2/5 3/5 True/5 2.5/5 "},
      {"{% for u in users if u.age is defined and u.age > 5 %}{{ u.n }}{% endfor %}", "y"},
      {"{% for c in 'héy' %}[{{ c }}]{% endfor %}", "[h][é][y]"},
      {"{% for x in range(5) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% "
       "endfor %}",
       "02"},
      {"{% for x in range(3) %}{% for y in range(x) %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}",
       "1;12;123;"},
      {"{% set x = 1 %}{% for i in [1,2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}", "231"},
      {"{% set ns = namespace(a=1, b='x') %}{% for i in [1,2] %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns.b "
       "}}{{ ns.c }}",
       "4x"},
      {"{% set x %}block {{ n }}{% endset %}[{{ x }}]", "[block 7]"},
      {"{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (a, b) = [3, 4] %}{{ a }}{{ b }}", "1234"},
      {"{% if n == 1 %}a{% elif n == 7 %}b{% else %}c{% endif %}", "b"},
      {"{% if true %}{% set y = 5 %}{% endif %}{{ y }}", "5"},
      {"{% macro m(a, b='B', c=none) %}<{{ a }}|{{ b }}|{{ c }}>{% endmacro %}{{ m(1) }}{{ m(1,2,3) }}{{ m(b=4, a=5) "
       "}}{{ m() }}",
       "<1|B|None><1|2|3><5|4|None><|B|None>"},
      {"{% macro m(x) %}{% if x > 0 %}{{ x }}{{ m(x - 1) }}{% endif %}{% endmacro %}{{ m(5) }}", "54321"},
      {"{% set g = 'glob' %}{% macro m() %}{{ g }}{{ n }}{% endmacro %}{% for g in ['loc'] %}{{ m() }}{% endfor %}",
       "glob7"},
      {"{{ users|selectattr('r','equalto','user')|map(attribute='n')|list|tojson }} {{ "
       "users|rejectattr('age')|list|length }} {{ users|selectattr('age','defined')|list|length }} {{ "
       "l|select('string')|list|tojson }} {{ l|reject('none')|list|length }} {{ ['a','b']|map('upper')|join }} {{ "
       "users|map(attribute='age', default=0)|join(',') }}",
       "[\"x\", \"z\"] 1 2 [\"x\"] 6 AB 3,30,0"},
      {"{{ 'a,b,,c'.split(',')|tojson }} {{ ' a  b '.split()|tojson }} {{ 'a,b,c'.split(',',1)|tojson }} {{ "
       "'a,b,c'.rsplit(',',1)|tojson }} {{ 'a\\nb\\r\\nc\\n'.splitlines()|tojson }} {{ ''.split(',')|tojson }} {{ "
       "''.split()|tojson }} {{ ' a b  c '.split(none, 1)|tojson }}",
       "[\"a\", \"b\", \"\", \"c\"] [\"a\", \"b\"] [\"a\", \"b,c\"] [\"a,b\", \"c\"] [\"a\", \"b\", \"c\"] [\"\"] [] "
       "[\"a\", \"b  c \"]"},
      {"{{ 'abc'.startswith('ab') }} {{ 'abc'.endswith(('x','bc')) }} {{ 'héllo'.find('l') }} {{ 'hello'.rfind('l') }} "
       "{{ 'hello'.find('z') }} {{ 'banana'.count('an') }} {{ 'xxaxx'.strip('x') }} {{ "
       "'prefix-a'.removeprefix('prefix-') }} {{ 'a.txt'.removesuffix('.txt') }} {{ ','.join(['a','b']) }}",
       "True True 2 3 -1 2 a a a a,b"},
      {"{{ d.get('a') }} {{ d.get('zz') }} {{ d.get('zz', 3) }} {{ d.keys()|list|tojson }} {{ d.values()|list|length "
       "}}",
       "1 None 3 [\"a\", \"b\", \"items\"] 3"},
      {"{{ '3'|int + 1 }} {{ 'x'|int }} {{ 'x'|int(9) }} {{ '3.9'|int }} {{ 3.9|int }} {{ ' 42 '|int }} {{ '1.5'|float "
       "}} {{ true|int }} {{ -3|abs }} {{ f|abs }}",
       "4 0 9 3 3 42 1.5 1 3 2.5"},
      {"{{ n is odd }} {{ n is divisibleby 7 }} {{ n is divisibleby(2) }} {{ n is number }} {{ n is string }} {{ l is "
       "iterable }} {{ d is mapping }} {{ l is sequence }} {{ s is iterable }} {{ n is iterable }} {{ none_ is none }} "
       "{{ n is not none }} {{ true is boolean }} {{ true is integer }} {{ true is number }} {{ n is eq 7 }} {{ n is "
       "in l }} {{ 'a' is in d }} {{ true is true }} {{ 1 is true }} {{ false is false }} {{ f is float }} {{ n is gt "
       "3 }} {{ n is ne 3 and n is lt 100 }}",
       "True True False True False True True True True False True True True False True True False True True False True "
       "True True True"},
      {"{{ {'a': 1, 'b': [1, {'c': 2}]}|tojson }} {{ {'a': 1}.a }} {{ [1, 2,]|length }} {{ (1, 2)|length }} {{ "
       "(1)|string }} {{ ()|length }}",
       "{\"a\": 1, \"b\": [1, {\"c\": 2}]} 1 2 2 1 0"},
      {"{{ 'a' 'b' \"c\" }} {{ '\\x41\\u00e9\\101\\'\\\"' }} {{ \"\\q\" }}", "abc AéA'\" \\q"},
      {"{{ s|indent }} {{ 'a\\nb\\n\\nc'|indent(2) }} {{ 'a\\nb\\n\\nc'|indent(2, true) }} {{ 'a\\nb'|indent(width=1, "
       "first=True, blank=True) }} {{ 'a\\n'|indent }}|",
       "  Hello wörld \n a\n  b\n\n  c   a\n  b\n\n  c  a\n b a\n|"},
      {"{{ 'abc'|reverse }} {{ [1,2]|reverse|list|tojson }} {{ 'abc'|list|tojson }}",
       "cba [2, 1] [\"a\", \"b\", \"c\"]"},
      {"{{ not true or true }} {{ not (true and false) }} {{ -n }} {{ +n }} {{ -n + 3 }} {{ 2 * -3 }} {{ -2 ** 2 }} {{ "
       "2 ** 3 ** 2 }}",
       "True True -7 7 -4 -6 4 64"},
      {"{# comment #}a{#- c -#} b {#+ x #}", "ab "},
      {"{{ \"{{ not }}\" }} {{ '%}' }} {{ {'a':{'b':1}}['a']['b'] }}", "{{ not }} %} 1"},
      {"a {%- if true -%} b {%- endif -%} c {{- ' d ' -}} e", "abc d e"},
      {"{%- generation %}x{% endgeneration %}y", "xy"},
      {"{{ loop }}", ""},
      {"{{ 1 if true else 2 }}{{ (1 if false) is defined }}", "1False"},
      {"{{ messages[0].role|upper }} {{ messages[-1]['content']|trim }} {{ messages|map(attribute='role')|join(',') }} "
       "{{ messages[1:]|length }}",
       "SYSTEM Sure? 你好 system,user,assistant,user 3"},
      {"{{ users|map(attribute='n')|first }} {{ users|selectattr('r', 'in', ['user'])|list|length }} {{ "
       "users|map('length')|list|tojson }}",
       "x 2 [3, 3, 2]"},
      {"{{ 'a'|upper ~ 'b'|upper }} {{ 'a' ~ 'b'|upper }} {{ ('a' ~ 'b')|upper }} {{ -3|abs }} {{ 1 + 2|string|length "
       "}}",
       "AB aB AB 3 2"},
      {"{{ true and 'x' is string }} {{ 'x' is string and false }} {{ n is defined and n is not string }}",
       "True False True"},
      {"{{ messages[0].content[1:4] }} {{ ' \\u00a0\\u3000x\\u2003'|trim }}|", "Be  x|"},
      {"{{ '1' in '123' and '4' not in '123' }} {{ 3 not in [1,2] }}", "True True"},
      {"{{ ([1,2] + [3])|tojson }}", "[1, 2, 3]"},
      {"a\n{% if true %}\nb\n{% endif %}\nc\n", "a\nb\nc"},
      {"  {% if true %}  \n  b\n  {%- endif %}\n c", "  \n  b c"},
      {"  {{ 1 }}\n  {{ 2 }}\n", "  1\n  2"},
      {"x  {% if true %}y{% endif %}\n\nz\n\n", "x  y\nz\n"},
      {" {%+ if true %}a{% endif +%}\nb", " a\nb"},
      {"a\r\n{% if true %}\r\nb{% endif %}\r\n", "a\nb"},
      {"{% if true %}\n\n  a {% endif %}  {# c #}\n b", "\n  a    b"},
      {"\t{#- c #}\n  {% set x = 1 %}  {% set y = 2 %}\nz", "  z"},
      {"{{ 1 -}}\n\n {% if 1 %}q{% endif %}", "1q"},
      {"{{ 'a\n b' }}\n", "a\n b"},
      {"{%if true%}x{%endif%}", "x"},
      {"  {%- for i in [1,2] -%}\n {{ i }} \n{%- endfor %}  \n.", "12  \n."},
      {"{% if true %}a{% endif %}  {% if true %}\n  b{% endif %}", "a    b"},
      {"{# a #}  {% if true %}x{% endif %}", "  x"},
      {"{% if true %}\n  {% if true %}x{% endif %}{% endif %}", "x"},
      {"\n\n", "\n"},
      {"", ""},
      {"{", "{"},
      {"}}", "}}"},
      {"%}", "%}"},
      {"{{-1}}", "1"},
      {"{{ - 1 }}", "-1"},
      {"a {%- set x = 1 %}\u3000\n b{{ '' -}} \u00a0 c", "a\u3000\n bc"},
      {"{% for i in [1] %} {% endfor %}\n", " "},
      {"{% set x %}  a\n{% endset %}{{x}}|", "  a\n|"},
      {"{% set x = 'a' -%}\n\n{{ x }}", "a"},
  };
  for (const Case& c : cases) {
    try {
      EXPECT_EQ(render(c.source), c.expected) << c.source;
    } catch (const DataError& error) {
      ADD_FAILURE() << c.source << "\n" << error.what();
    }
  }
}

TEST(Template, RefusesByNameAndLine) {
  EXPECT_EQ(refusal("a\nb{{ x | shout }}"), "template:2: unknown filter 'shout'");
  EXPECT_EQ(refusal("{{ x | uper }}"), "template:1: unknown filter 'uper'; did you mean \"upper\"?");
  EXPECT_EQ(refusal("{% if n is weird %}{% endif %}"), "template:1: unknown test 'weird'");
  EXPECT_EQ(refusal("\n\n{% include 'x' %}"),
            "template:3: unknown statement 'include'; known are if, for, set, macro, break, continue");
  EXPECT_EQ(refusal("{% for a in l recursive %}{% endfor %}"), "template:1: recursive loops are not known here");
  EXPECT_EQ(refusal("{% if n %}\n{% for a in l %}"), "template:2: the 'for' that begins here has no end");
  EXPECT_EQ(refusal("{% if n %}{% endfor %}"), "template:1: 'endfor' without its beginning");
  EXPECT_EQ(refusal("{{ n"), "template:1: the expression that begins here has no end; expected }}");
  EXPECT_EQ(refusal("\n{{ 'n"), "template:2: the string that begins here has no end");
  EXPECT_EQ(refusal("{{ a b }}"), "template:1: got 'b'; expected }}");
  EXPECT_EQ(refusal("{{ 1 + }}"), "template:1: got '}}'; expected an expression");
  EXPECT_EQ(refusal("{{ n @ 2 }}"), "template:1: unexpected character '@'");
  EXPECT_EQ(refusal("{{ f(*l) }}"), "template:1: unpacked arguments are not known here");
  EXPECT_EQ(refusal("{% break %}"), "template:1: 'break' outside of a loop");
  EXPECT_EQ(refusal("{{ '\\N{DASH}' }}"),
            "template:1: the escape \\N is not known here; expected the character itself");
  EXPECT_EQ(refusal("\xff"), "template: not valid UTF-8");
}

TEST(Template, FaultsNameTheLineThatRuns) {
  EXPECT_EQ(refusal("{% for m in messages %}\n{% if loop.last %}\n{{ m.content + 1 }}{% endif %}{% endfor %}"),
            "template:3: '+' does not take a string and an integer");
  EXPECT_EQ(refusal("{{ missing.role }}"), "template:1: got the undefined value 'missing', asked for 'role'");
  EXPECT_EQ(refusal("{{ missing() }}"), "template:1: the undefined value 'missing' cannot be called");
  EXPECT_EQ(refusal("{{ l.append(1) }}"), "template:1: a list has no method 'append' here");
  EXPECT_EQ(refusal("{{ s.encode() }}"), "template:1: the method 'encode' of strings is not known here");
  EXPECT_EQ(refusal("{{ d }}"), "template:1: a dict has no text of its own; a template can use tojson or join");
  EXPECT_EQ(refusal("{{ s | upper }}"), "template:1: 'upper' knows ASCII letters alone; got a text with others");
  EXPECT_EQ(refusal("{{ s | trim(1) }}"),
            "template:1: the argument 'chars' of 'trim' is an integer; expected a string");
  EXPECT_EQ(refusal("{{ s | trim(char='x') }}"), "template:1: 'trim' has no argument 'char' here");
  EXPECT_EQ(refusal("{{ 1 // 0 }}"), "template:1: division by zero");
  EXPECT_EQ(refusal("{{ 9223372036854775807 + 1 }}"), "template:1: the result of '+' is too large");
  EXPECT_EQ(refusal("{% set n.x = 1 %}"),
            "template:1: cannot set the attribute 'x' of an integer; only those of a namespace");
  EXPECT_EQ(refusal("\n{{ raise_exception('roles must alternate') }}"),
            "template:2: the template refuses the conversation: roles must alternate");
}

TEST(Template, IsBounded) {
  const Timer timer;
  const auto expect_refused = [](const std::string& source, const std::string& part) {
    EXPECT_NE(refusal(source).find(part), std::string::npos) << source.substr(0, 100) << "\n" << refusal(source);
  };
  const std::string budget = "its limit of steps and bytes is used up";
  expect_refused("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}", budget);
  expect_refused("{% for a in range(1000000000000) %}{% endfor %}", budget);
  expect_refused(
      "{% set ns = namespace(s='xxxxxxxx') %}{% for a in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", budget);
  expect_refused("{% set ns = namespace(l=[1]) %}{% for a in range(64) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
                 budget);
  expect_refused("{{ 'x' * 1000000000000 }}", "too large");
  expect_refused(
      "{% set ns = namespace(s='xxxxxxxx') %}{% for a in range(20) %}"
      "{% set ns.s = ns.s | replace('x', ns.s) %}{% endfor %}",
      budget);
  expect_refused("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "nested or recursive more than");
  expect_refused("{% set ns = namespace(l=[]) %}{% for a in range(300) %}{% set ns.l = [ns.l] %}{% endfor %}",
                 "nested more than 200 deep");
  expect_refused("{% set a = namespace() %}{% set a.self = a %}", "a namespace cannot be put into");
  expect_refused("{% set a = namespace() %}{% set a.self = [a] %}", "a namespace cannot be put into");
  expect_refused("{{ " + std::string(10'000, '(') + "1" + std::string(10'000, ')') + " }}",
                 "nested more than 100 deep");
  expect_refused("{{ " + std::string(10'000, '-') + "1 }}", "nested more than 100 deep");
  std::string chain = "1", blocks;
  for (int i = 0; i < 10'000; ++i) {
    chain += " + 1";
    blocks += "{% if n %}";
  }
  expect_refused("{{ " + chain + " }}", "an expression of more than 200 levels");
  expect_refused(blocks, "nested more than 100 deep");
  expect_refused(std::string((1 << 20) + 1, 'x'), "expected at most 1048576");
  EXPECT_LT(timer.seconds(), 90);  // about 1 s, and 30 without optimisation under a sanitizer
}

// For each byte a '.', or a 'u' where the user wrote it.
std::string origins(const std::string& source) {
  const Text text = Template(source).render(variables());
  std::string marks;
  for (size_t i = 0; i < text.size(); ++i) marks += text.origin(i) == Text::Origin::user ? 'u' : '.';
  return marks;
}

TEST(Template, KnowsWhatTheUserWrote) {
  EXPECT_EQ(origins("<{{ messages[2].content }}>"), ".u.");
  EXPECT_EQ(origins("{{ '<' + messages[1].content | trim + '>' }}"), ".uuuu.");
  EXPECT_EQ(origins("{% set x %}[{{ messages[2].role[:3] }}]{% endset %}{{ x }}"), ".uuu.");
  EXPECT_EQ(origins("{{ messages[0].content.split(' ')[1] ~ '|' }}"), "uu.");
  EXPECT_EQ(origins("{{ messages[1].content.replace('2', '<>') }}"), "uu..u..uu")
      << "the template's word within the user's";
  EXPECT_EQ(origins("{{ messages | map(attribute='role') | join('--') | length }}"), "..");
  EXPECT_EQ(origins("{{ [messages[2].content, '-'] | join('+') }}"), "u..");
  EXPECT_EQ(origins("{{ messages[2] | tojson }}"), "..uuuu....uuuuuuuuu....uuuuuuu....u..");
  EXPECT_EQ(origins("{{ messages[1].content | tojson }}"), ".uuuuuuuu.") << "an escape belongs to its character";
  EXPECT_EQ(origins("{{ messages[2].role | upper }}{{ messages[2].role | title }}{{ messages[2].role[::-1] }}"),
            std::string(27, 'u'));
  EXPECT_EQ(origins("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(messages[2].content) | trim('<') }}"), "u.");
  EXPECT_EQ(origins("{% for c in messages[2].role %}{{ c }}{% endfor %}"), std::string(9, 'u'));
  EXPECT_EQ(origins("{% for k in messages[2] %}{{ k }}{% endfor %}"), std::string(11, 'u'));
  EXPECT_EQ(origins("{{ messages[2].role * 2 }}{{ messages[2].content | indent(2, true) }}"),
            std::string(18, 'u') + "..u");
}

TEST(Template, TellsTheDateItIsGiven) {
  const Template source("{{ strftime_now('%Y') }}");
  EXPECT_EQ(source.render({}, 1'000'000'000).bytes(), "2001");
  EXPECT_EQ(source.render({}, 1'700'000'000).bytes(), "2023");
}

}  // namespace
}  // namespace danlu::infer::jinja
