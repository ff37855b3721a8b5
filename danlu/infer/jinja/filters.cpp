// {{ value | filter(arguments) }}
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "danlu/base/format.h"
#include "danlu/infer/jinja/builtins.h"
#include "danlu/infer/jinja/fault.h"
#include "danlu/infer/jinja/interpreter.h"

namespace danlu::infer::jinja {
namespace {

Value counted(Interpreter& interpreter, Text text) {
  interpreter.spend(text.size());
  return text;
}

// upper and lower know the case of ASCII letters alone, and do not guess for others.
Text known_case(std::optional<Text> text, std::string_view filter) {
  if (!text) throw Fault(fmt::format("'{}' knows ASCII letters alone; got a text with others", filter));
  return std::move(*text);
}

Value trim(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("trim", arguments, {"chars"});
  const Text* characters = parameters.text(0);
  return counted(interpreter,
                 strip(input.to_text(), Side::both, characters ? std::optional(characters->bytes()) : std::nullopt));
}

Value length(Interpreter&, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("length", arguments, {});
  if (input.is_undefined()) return int64_t{0};
  if (const Text* text = input.text()) return static_cast<int64_t>(character_starts(text->bytes()).size() - 1);
  if (const List* list = input.list()) return static_cast<int64_t>(list->size());
  if (const Dict* dict = input.dict()) return static_cast<int64_t>(dict->entries().size());
  throw Fault(fmt::format("{} has no length", input.describe()));
}

Value use_default(Interpreter&, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("default", arguments, {"default_value", "boolean"});
  const bool falsy_too = parameters[1] && parameters[1]->truth();
  const bool absent = input.is_undefined() || (falsy_too && !input.truth());
  if (!absent) return input;
  return parameters[0] ? *parameters[0] : Value("");
}

Value upper_case(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("upper", arguments, {});
  return counted(interpreter, known_case(upper(input.to_text()), "upper"));
}

Value lower_case(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("lower", arguments, {});
  return counted(interpreter, known_case(lower(input.to_text()), "lower"));
}

Value capitalize(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("capitalize", arguments, {});
  const Text text = input.to_text();
  Text result = known_case(upper(text.substr(0, 1)), "capitalize");
  result += known_case(lower(text.substr(1)), "capitalize");
  return counted(interpreter, std::move(result));
}

Value title(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("title", arguments, {});
  const Text text = input.to_text();
  std::string bytes = known_case(lower(text), "title").bytes();
  bool begins = true;
  for (char& c : bytes) {
    if (begins && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    begins = std::string_view("-({[<").find(c) != std::string_view::npos || whitespace_length({&c, 1}) == 1;
  }
  return counted(interpreter, text.with_bytes(std::move(bytes)));
}

Value replace_all(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("replace", arguments, {"old", "new", "count"});
  const Text from = parameters.required(0).to_text(), to = parameters.required(1).to_text(), text = input.to_text();
  interpreter.spend((text.size() + 1) * (to.size() + 1));  // before memory is taken
  return replace(text, from.bytes(), to, parameters.integer(2).value_or(-1));
}

Value join(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("join", arguments, {"d", "attribute"});
  const Text separator = parameters[0] ? parameters[0]->to_text() : Text();
  const Text* attribute = parameters.text(1);
  Text result;
  bool first = true;
  for (const Value& item : elements(interpreter, input)) {
    const Text text = attribute ? get_item(interpreter, item, *attribute).to_text() : item.to_text();
    interpreter.spend(text.size() + separator.size());
    if (!first) result += separator;
    result += text;
    first = false;
  }
  return result;
}

Value first(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("first", arguments, {});
  const List items = elements(interpreter, input);
  return items.empty() ? Value(Undefined{"the first of none"}) : items.front();
}

Value last(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("last", arguments, {});
  const List items = elements(interpreter, input);
  return items.empty() ? Value(Undefined{"the last of none"}) : items.back();
}

Value to_list(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("list", arguments, {});
  return elements(interpreter, input);
}

Value reverse(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("reverse", arguments, {});
  List items = elements(interpreter, input);
  std::reverse(items.begin(), items.end());
  if (!input.text()) return items;
  Text text;
  for (const Value& character : items) text += *character.text();
  return text;
}

Value to_string(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("string", arguments, {});
  return counted(interpreter, input.to_text());
}

Value safe(Interpreter&, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("safe", arguments, {});  // nothing is escaped here
  return input;
}

std::optional<double> parse_number(const Text& text) {
  const std::string trimmed = strip(text, Side::both).bytes();
  double value = 0;
  const char* begin = trimmed.data() + (trimmed.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, trimmed.data() + trimmed.size(), value);
  return error == std::errc() && end == trimmed.data() + trimmed.size() ? std::optional(value) : std::nullopt;
}

Value to_int(Interpreter&, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("int", arguments, {"default"});
  if (const auto integer = input.integer()) return *integer;
  const std::optional<double> number = input.text() ? parse_number(*input.text()) : std::optional(input.number());
  const bool known = (input.text() || input.is_float()) && number && std::abs(*number) < 9e15;
  if (known) return static_cast<int64_t>(*number);
  return parameters[0] ? *parameters[0] : Value(int64_t{0});
}

Value to_float(Interpreter&, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("float", arguments, {"default"});
  if (input.is_number()) return input.number();
  const std::optional<double> number = input.text() ? parse_number(*input.text()) : std::nullopt;
  return number ? Value(*number) : parameters[0] ? *parameters[0] : Value(0.0);
}

Value absolute(Interpreter&, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("abs", arguments, {});
  if (!input.is_number()) throw Fault(fmt::format("'abs' does not take {}", input.describe()));
  const auto integer = input.integer();
  if (!integer) return std::abs(input.number());
  return *integer < 0 && *integer != INT64_MIN ? -*integer : *integer;
}

Value items(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("items", arguments, {});
  if (input.is_undefined()) return List();
  if (!input.dict()) throw Fault(fmt::format("'items' expects a dict; got {}", input.describe()));
  return call_method(interpreter, input, "items", {});
}

Value to_json(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("tojson", arguments, {"indent", "ensure_ascii"});
  if (parameters[1] && parameters[1]->truth()) throw Fault("'tojson' with ensure_ascii is not known here");
  return counted(interpreter, to_json_text(input, parameters.integer(0)));
}

Value indent(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  const Parameters parameters("indent", arguments, {"width", "first", "blank"});
  const Text* words = parameters[0] ? parameters[0]->text() : nullptr;
  const auto width = words ? 0 : std::clamp<int64_t>(parameters.integer(0).value_or(4), 0, 1000);
  const Text space = words ? *words : Text(std::string(static_cast<size_t>(width), ' '));
  const bool blank_lines = parameters[2] && parameters[2]->truth();
  Text text = input.to_text();
  text += "\n";  // as Jinja does, so that a last line break counts
  const std::vector<Text> lines = splitlines(text);
  interpreter.spend(text.size() + lines.size() * (space.size() + 1));
  Text result;
  if (parameters[1] && parameters[1]->truth()) result += space;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) result += "\n";
    if (i > 0 && (blank_lines || !lines[i].empty())) result += space;
    result += lines[i];
  }
  return result;
}

// a.b.0 of an element.
Value path_of(Interpreter& interpreter, const Value& item, const Value& path) {
  if (!path.text()) return get_item(interpreter, item, path);
  Value value = item;
  for (const Text& part : split(*path.text(), ".")) {
    const std::string& name = part.bytes();
    const bool digits = !name.empty() && name.find_first_not_of("0123456789") == std::string::npos && name.size() < 10;
    value = get_item(interpreter, value, digits ? Value(int64_t{std::stoi(name)}) : Value(part));
  }
  return value;
}

Value map_each(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  List results;
  if (arguments.positional.empty()) {
    const Parameters parameters("map", arguments, {"attribute", "default"});
    parameters.required(0);
    for (const Value& item : elements(interpreter, input)) {
      const Value value = path_of(interpreter, item, *parameters[0]);
      results.push_back(value.is_undefined() && parameters[1] ? *parameters[1] : value);
    }
    return results;
  }
  const Text* name = arguments.positional[0].text();
  const Filter* filter = name ? find_filter(name->bytes()) : nullptr;
  if (!filter) throw Fault("'map' expects attribute= or the name of a filter that is known here");
  CallArguments rest = arguments;
  rest.positional.erase(rest.positional.begin());
  for (const Value& item : elements(interpreter, input)) results.push_back(filter->apply(interpreter, item, rest));
  return results;
}

// The elements for which a test holds, or does not; of themselves or of an attribute.
Value choose(Interpreter& interpreter, const Value& input, const CallArguments& arguments, std::string_view filter,
             bool by_attribute, bool wanted) {
  const size_t skipped = by_attribute ? 1 : 0;
  if (!arguments.named.empty() || arguments.positional.size() < skipped) {
    throw Fault(fmt::format("'{}' expects an attribute, then a test and its arguments", filter));
  }
  CallArguments rest;
  const Test* test = nullptr;
  if (arguments.positional.size() > skipped) {
    const Text* name = arguments.positional[skipped].text();
    test = name ? find_test(name->bytes()) : nullptr;
    if (!test) throw Fault(fmt::format("'{}' got a test that is not known here", filter));
    rest.positional.assign(arguments.positional.begin() + static_cast<std::ptrdiff_t>(skipped) + 1,
                           arguments.positional.end());
  }
  List chosen;
  for (const Value& item : elements(interpreter, input)) {
    const Value value = by_attribute ? path_of(interpreter, item, arguments.positional[0]) : item;
    if ((test ? test->check(interpreter, value, rest) : value.truth()) == wanted) chosen.push_back(item);
  }
  return chosen;
}

Value select(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  return choose(interpreter, input, arguments, "select", false, true);
}
Value reject(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  return choose(interpreter, input, arguments, "reject", false, false);
}
Value selectattr(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  return choose(interpreter, input, arguments, "selectattr", true, true);
}
Value rejectattr(Interpreter& interpreter, const Value& input, const CallArguments& arguments) {
  return choose(interpreter, input, arguments, "rejectattr", true, false);
}

constexpr std::array kFilters = {
    Filter{"trim", trim},
    Filter{"length", length},
    Filter{"count", length},
    Filter{"default", use_default},
    Filter{"d", use_default},
    Filter{"upper", upper_case},
    Filter{"lower", lower_case},
    Filter{"capitalize", capitalize},
    Filter{"title", title},
    Filter{"replace", replace_all},
    Filter{"join", join},
    Filter{"first", first},
    Filter{"last", last},
    Filter{"list", to_list},
    Filter{"reverse", reverse},
    Filter{"string", to_string},
    Filter{"safe", safe},
    Filter{"int", to_int},
    Filter{"float", to_float},
    Filter{"abs", absolute},
    Filter{"items", items},
    Filter{"tojson", to_json},
    Filter{"indent", indent},
    Filter{"map", map_each},
    Filter{"select", select},
    Filter{"reject", reject},
    Filter{"selectattr", selectattr},
    Filter{"rejectattr", rejectattr},
};

}  // namespace

const Filter* find_filter(std::string_view name) {
  const auto found = std::find_if(kFilters.begin(), kFilters.end(), [&](const Filter& f) { return f.name == name; });
  return found == kFilters.end() ? nullptr : &*found;
}

std::vector<std::string> filter_names() {
  std::vector<std::string> names;
  for (const Filter& filter : kFilters) names.emplace_back(filter.name);
  return names;
}

}  // namespace danlu::infer::jinja
