#include "danlu/infer/jinja/builtins.h"

#include <algorithm>
#include <array>

#include "danlu/base/format.h"
#include "danlu/infer/jinja/fault.h"
#include "danlu/infer/jinja/interpreter.h"

namespace danlu::infer::jinja {

Parameters::Parameters(std::string_view function, const CallArguments& arguments,
                       std::initializer_list<std::string_view> names)
    : function_(function), names_(names), values_(names.size()) {
  if (arguments.positional.size() > names.size()) {
    throw Fault(fmt::format("'{}' takes at most {} arguments here; got {}", function, names.size(),
                            arguments.positional.size()));
  }
  for (size_t i = 0; i < arguments.positional.size(); ++i) values_[i] = &arguments.positional[i];
  for (const auto& [name, value] : arguments.named) {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) throw Fault(fmt::format("'{}' has no argument '{}' here", function, name));
    const Value*& slot = values_[static_cast<size_t>(found - names_.begin())];
    if (slot) throw Fault(fmt::format("'{}' got the argument '{}' twice", function, name));
    slot = &value;
  }
}

void Parameters::wrong_type(size_t i, const char* expected) const {
  throw Fault(fmt::format("the argument '{}' of '{}' is {}; expected {}", names_[i], function_, values_[i]->describe(),
                          expected));
}

std::optional<int64_t> Parameters::integer(size_t i) const {
  if (!values_[i] || values_[i]->is_none()) return std::nullopt;
  const auto value = values_[i]->integer();
  if (!value) wrong_type(i, "an integer");
  return value;
}

const Text* Parameters::text(size_t i) const {
  if (!values_[i] || values_[i]->is_none()) return nullptr;
  if (!values_[i]->text()) wrong_type(i, "a string");
  return values_[i]->text();
}

const Value& Parameters::required(size_t i) const {
  if (!values_[i]) throw Fault(fmt::format("'{}' needs the argument '{}'", function_, names_[i]));
  return *values_[i];
}

List elements(Interpreter& interpreter, const Value& value) {
  List items;
  if (const List* list = value.list()) {
    items = *list;
  } else if (const Dict* dict = value.dict()) {
    for (const auto& [key, element] : dict->entries()) items.push_back(key);
  } else if (const Text* text = value.text()) {
    const std::vector<size_t> starts = character_starts(text->bytes());
    for (size_t i = 0; i + 1 < starts.size(); ++i) items.push_back(text->substr(starts[i], starts[i + 1]));
  } else if (!value.is_undefined()) {
    throw Fault(fmt::format("cannot go through {}; expected a list, a dict or a string", value.describe()));
  }
  interpreter.spend(items.size() * sizeof(Value));
  return items;
}

Value get_attribute(const Value& object, std::string_view name) {
  if (object.is_undefined()) throw Fault(fmt::format("got {}, asked for '{}'", object.describe(), name));
  if (object.is_number())
    throw Fault(fmt::format("{} has no attributes here; asked for '{}'", object.describe(), name));
  const Dict* dict = object.attributes() ? &object.attributes()->attributes : object.dict();
  if (object.dict() && is_dict_method(name)) {
    throw Fault(fmt::format("the method '{}' of a dict is not called", name));
  }
  const Value* found = dict ? dict->find(name) : nullptr;
  return found ? *found : Value(Undefined{std::string(name)});
}

Value get_item(Interpreter& interpreter, const Value& object, const Value& key) {
  if (object.is_undefined()) throw Fault(fmt::format("got {}, asked for an element of it", object.describe()));
  const auto index = key.integer();
  if (index && (object.list() || object.text())) {
    const List* list = object.list();
    const std::vector<size_t> starts = list ? std::vector<size_t>() : character_starts(object.text()->bytes());
    interpreter.spend(starts.size());
    const auto size = static_cast<int64_t>(list ? list->size() : starts.size() - 1);
    const int64_t at = *index < 0 ? *index + size : *index;
    if (at < 0 || at >= size) return Undefined{std::to_string(*index)};
    const auto i = static_cast<size_t>(at);
    return list ? (*list)[i] : Value(object.text()->substr(starts[i], starts[i + 1]));
  }
  const Text* name = key.text();
  const Dict* dict = object.attributes() ? &object.attributes()->attributes : object.dict();
  const Value* found = dict && name ? dict->find(name->bytes()) : nullptr;
  return found ? *found : Value(Undefined{name ? name->bytes() : key.describe()});
}

bool contains(Interpreter& interpreter, const Value& container, const Value& value) {
  if (const Text* text = container.text()) {
    if (!value.text()) throw Fault(fmt::format("'in' a string expects a string; got {}", value.describe()));
    interpreter.spend(text->size());
    return text->bytes().find(value.text()->bytes()) != std::string::npos;
  }
  const List items = elements(interpreter, container);
  return std::find(items.begin(), items.end(), value) != items.end();
}

namespace {

constexpr std::array<std::string_view, 5> kGlobals = {"namespace", "dict", "range", "raise_exception", "strftime_now"};

Dict keywords(std::string_view function, const CallArguments& arguments) {
  if (!arguments.positional.empty()) throw Fault(fmt::format("'{}' takes named arguments here", function));
  Dict dict;
  for (const auto& [name, value] : arguments.named) dict.set(Text(name), value);
  return dict;
}

Value make_range(Interpreter& interpreter, const CallArguments& arguments) {
  const Parameters parameters("range", arguments, {"start", "stop", "step"});
  parameters.required(0);
  const bool one = !parameters[1];
  const int64_t begin = one ? 0 : parameters.integer(0).value_or(0);
  const int64_t end = parameters.integer(one ? 0 : 1).value_or(0), step = parameters.integer(2).value_or(1);
  if (step == 0) throw Fault("the step of 'range' is zero");
  List numbers;
  for (int64_t i = begin; step > 0 ? i < end : i > end;) {
    interpreter.spend(sizeof(Value));
    numbers.push_back(i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return numbers;
}

Value format_now(Interpreter& interpreter, const CallArguments& arguments) {
  const Parameters parameters("strftime_now", arguments, {"format"});
  parameters.required(0);
  const Text* format = parameters.text(0);
  std::array<char, 1024> text;
  const std::time_t now = interpreter.now();
  std::tm local{};
  localtime_r(&now, &local);
  if (!format || format->size() > 256) throw Fault("'strftime_now' expects a format of at most 256 bytes");
  return Text(std::string_view(text.data(), std::strftime(text.data(), text.size(), format->bytes().c_str(), &local)));
}

}  // namespace

bool is_global(std::string_view name) { return std::find(kGlobals.begin(), kGlobals.end(), name) != kGlobals.end(); }

Value call_global(Interpreter& interpreter, std::string_view name, const CallArguments& arguments) {
  if (name == "namespace") return std::make_shared<Namespace>(Namespace{keywords(name, arguments)});
  if (name == "dict") return keywords(name, arguments);
  if (name == "range") return make_range(interpreter, arguments);
  if (name == "strftime_now") return format_now(interpreter, arguments);
  const Parameters parameters("raise_exception", arguments, {"message"});
  throw Fault(fmt::format("the template refuses the conversation: {}", parameters.required(0).to_text().bytes()));
}

}  // namespace danlu::infer::jinja
