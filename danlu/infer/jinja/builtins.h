// The filters, tests, methods and functions that templates may use: those of Jinja and Python that published chat
// templates contain, with their results. Anything else is refused by name.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "danlu/infer/jinja/value.h"

namespace danlu::infer::jinja {

class Interpreter;

struct CallArguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

// Arguments by the names of the parameters. Throws Fault for one too many or of an unknown name.
class Parameters {
 public:
  Parameters(std::string_view function, const CallArguments& arguments, std::initializer_list<std::string_view> names);

  // Null if it was not given.
  const Value* operator[](size_t i) const { return values_[i]; }
  // Throw Fault for another type.
  std::optional<int64_t> integer(size_t i) const;
  const Text* text(size_t i) const;  // null if not given, or none
  const Value& required(size_t i) const;

 private:
  [[noreturn]] void wrong_type(size_t i, const char* expected) const;

  std::string function_;
  std::vector<std::string_view> names_;
  std::vector<const Value*> values_;
};

struct Filter {
  std::string_view name;
  Value (*apply)(Interpreter& interpreter, const Value& input, const CallArguments& arguments);
};
struct Test {
  std::string_view name;
  bool (*check)(Interpreter& interpreter, const Value& input, const CallArguments& arguments);
};

// Null if there is no such filter or test.
const Filter* find_filter(std::string_view name);
const Test* find_test(std::string_view name);
std::vector<std::string> filter_names();
std::vector<std::string> test_names();

// Whether a value of this kind has the method in Python, whatever may be called here.
bool is_dict_method(std::string_view name);
// object.name(arguments). Throws Fault for a method that is unknown here.
Value call_method(Interpreter& interpreter, const Value& object, std::string_view name, const CallArguments& arguments);

bool is_global(std::string_view name);
Value call_global(Interpreter& interpreter, std::string_view name, const CallArguments& arguments);

// What a for loop sees: elements, keys, characters. Throws Fault for what cannot be iterated.
List elements(Interpreter& interpreter, const Value& value);
// object.name and object[key], as Jinja looks them up; undefined if there is none. Throws Fault for an undefined
// object.
Value get_attribute(const Value& object, std::string_view name);
Value get_item(Interpreter& interpreter, const Value& object, const Value& key);
bool contains(Interpreter& interpreter, const Value& container, const Value& value);

}  // namespace danlu::infer::jinja
