// value.method(arguments): methods of Python's str and dict.
#include <algorithm>
#include <array>

#include "danlu/base/format.h"
#include "danlu/infer/jinja/builtins.h"
#include "danlu/infer/jinja/fault.h"
#include "danlu/infer/jinja/interpreter.h"

namespace danlu::infer::jinja {
namespace {

Value texts(std::vector<Text> parts) {
  List list;
  for (Text& part : parts) list.push_back(std::move(part));
  return list;
}

Value strip_method(const Text& text, std::string_view name, const CallArguments& arguments) {
  const Parameters parameters(name, arguments, {"chars"});
  const Text* characters = parameters.text(0);
  const Side side = name == "strip" ? Side::both : name == "lstrip" ? Side::left : Side::right;
  return strip(text, side, characters ? std::optional(characters->bytes()) : std::nullopt);
}

Value split_method(const Text& text, std::string_view name, const CallArguments& arguments) {
  const Parameters parameters(name, arguments, {"sep", "maxsplit"});
  const Text* separator = parameters.text(0);
  const int64_t limit = parameters.integer(1).value_or(-1);
  if (separator && separator->empty()) throw Fault("a separator is empty");
  if (name == "split") return texts(split(text, separator ? std::optional(separator->bytes()) : std::nullopt, limit));
  if (!separator) throw Fault("'rsplit' needs a separator here");
  return texts(rsplit(text, separator->bytes(), limit));
}

// startswith and endswith, of one text or any of a list.
Value affix_method(const Text& text, std::string_view name, const CallArguments& arguments) {
  const Parameters parameters(name, arguments, {"affix"});
  const Value& affix = parameters.required(0);
  const List affixes = affix.list() ? *affix.list() : List{affix};
  return std::any_of(affixes.begin(), affixes.end(), [&](const Value& one) {
    if (!one.text()) throw Fault(fmt::format("'{}' expects a string; got {}", name, one.describe()));
    const std::string& part = one.text()->bytes();
    return name == "startswith" ? text.bytes().starts_with(part) : text.bytes().ends_with(part);
  });
}

// removeprefix and removesuffix.
Value remove_method(const Text& text, std::string_view name, const CallArguments& arguments) {
  const Parameters parameters(name, arguments, {"affix"});
  const Text affix = parameters.required(0).to_text();
  if (name == "removeprefix") return text.bytes().starts_with(affix.bytes()) ? text.substr(affix.size()) : text;
  return text.bytes().ends_with(affix.bytes()) ? text.substr(0, text.size() - affix.size()) : text;
}

// In characters; -1 if it is not there.
Value find_method(const Text& text, std::string_view name, const CallArguments& arguments) {
  const Parameters parameters(name, arguments, {"sub"});
  const std::string part = parameters.required(0).to_text().bytes();
  const size_t at = name == "find" ? text.bytes().find(part) : text.bytes().rfind(part);
  if (at == std::string::npos) return int64_t{-1};
  return static_cast<int64_t>(character_starts(std::string_view(text.bytes()).substr(0, at)).size() - 1);
}

Value count_method(const Text& text, const CallArguments& arguments) {
  const Parameters parameters("count", arguments, {"sub"});
  const std::string part = parameters.required(0).to_text().bytes();
  if (part.empty()) return static_cast<int64_t>(character_starts(text.bytes()).size());
  return static_cast<int64_t>(split(text, part).size() - 1);
}

Value join_method(Interpreter& interpreter, const Text& separator, const CallArguments& arguments) {
  const Parameters parameters("join", arguments, {"iterable"});
  Text result;
  bool first = true;
  for (const Value& item : elements(interpreter, parameters.required(0))) {
    if (!item.text()) throw Fault(fmt::format("'join' expects strings; got {}", item.describe()));
    interpreter.spend(item.text()->size() + separator.size());
    if (!first) result += separator;
    result += *item.text();
    first = false;
  }
  return result;
}

Value call_text_method(Interpreter& interpreter, const Text& text, std::string_view name,
                       const CallArguments& arguments) {
  interpreter.spend(text.size());
  if (name == "strip" || name == "lstrip" || name == "rstrip") return strip_method(text, name, arguments);
  if (name == "split" || name == "rsplit") return split_method(text, name, arguments);
  if (name == "startswith" || name == "endswith") return affix_method(text, name, arguments);
  if (name == "removeprefix" || name == "removesuffix") return remove_method(text, name, arguments);
  if (name == "find" || name == "rfind") return find_method(text, name, arguments);
  if (name == "count") return count_method(text, arguments);
  if (name == "join") return join_method(interpreter, text, arguments);
  if (name == "splitlines") return Parameters(name, arguments, {}), texts(splitlines(text));
  for (const char* filter : {"upper", "lower", "capitalize", "replace"}) {
    if (name == filter) return find_filter(name)->apply(interpreter, text, arguments);
  }
  throw Fault(fmt::format("the method '{}' of strings is not known here", name));
}

constexpr std::array<std::string_view, 11> kDictMethods = {"items", "keys",   "values",  "get",      "copy",      "pop",
                                                           "clear", "update", "popitem", "fromkeys", "setdefault"};

Value call_dict_method(const Dict& dict, std::string_view name, const CallArguments& arguments) {
  if (name == "get") {
    const Parameters parameters(name, arguments, {"key", "default"});
    const Text* key = parameters.required(0).text();
    const Value* found = key ? dict.find(key->bytes()) : nullptr;
    return found ? *found : parameters[1] ? *parameters[1] : Value(None{});
  }
  const Parameters parameters(name, arguments, {});
  List list;
  for (const auto& [key, value] : dict.entries()) {
    if (name == "items") {
      list.push_back(List{key, value});
    } else if (name == "keys") {
      list.push_back(key);
    } else if (name == "values") {
      list.push_back(value);
    } else {
      break;
    }
  }
  if (name != "items" && name != "keys" && name != "values") {
    throw Fault(fmt::format("the method '{}' of dicts is not known here", name));
  }
  return list;
}

}  // namespace

bool is_dict_method(std::string_view name) {
  return std::find(kDictMethods.begin(), kDictMethods.end(), name) != kDictMethods.end();
}

Value call_method(Interpreter& interpreter, const Value& object, std::string_view name,
                  const CallArguments& arguments) {
  if (const Text* text = object.text()) return call_text_method(interpreter, *text, name, arguments);
  if (const Dict* dict = object.dict()) {
    interpreter.spend(dict->entries().size() * sizeof(Value));
    return call_dict_method(*dict, name, arguments);
  }
  throw Fault(fmt::format("{} has no method '{}' here", object.describe(), name));
}

}  // namespace danlu::infer::jinja
