// {% if value is test(arguments) %}
#include <algorithm>
#include <array>

#include "danlu/base/format.h"
#include "danlu/infer/jinja/builtins.h"
#include "danlu/infer/jinja/fault.h"

namespace danlu::infer::jinja {
namespace {

const Value& only(const CallArguments& arguments) {
  if (arguments.positional.size() != 1 || !arguments.named.empty()) throw Fault("the test expects one argument");
  return arguments.positional[0];
}

// A test of the value alone.
template <bool (*kCheck)(const Value&)>
bool alone(Interpreter&, const Value& value, const CallArguments& arguments) {
  if (!arguments.positional.empty() || !arguments.named.empty()) throw Fault("the test takes no argument");
  return kCheck(value);
}

// A test of the value against one other.
template <bool (*kCheck)(const Value&, const Value&)>
bool against(Interpreter&, const Value& value, const CallArguments& arguments) {
  return kCheck(value, only(arguments));
}

bool is_defined(const Value& value) { return !value.is_undefined(); }
bool is_undefined(const Value& value) { return value.is_undefined(); }
bool is_none(const Value& value) { return value.is_none(); }
bool is_boolean(const Value& value) { return value.is_bool(); }
bool is_true(const Value& value) { return value.is_bool() && value.truth(); }
bool is_false(const Value& value) { return value.is_bool() && !value.truth(); }
bool is_integer(const Value& value) { return value.is_int(); }
bool is_float(const Value& value) { return value.is_float(); }
bool is_number(const Value& value) { return value.is_number(); }
bool is_string(const Value& value) { return value.text() != nullptr; }
bool is_mapping(const Value& value) { return value.dict() != nullptr; }
bool is_sequence(const Value& value) { return value.text() || value.list() || value.dict(); }
bool is_iterable(const Value& value) { return is_sequence(value) || value.is_undefined(); }
bool is_callable(const Value& value) { return value.macro() || value.global(); }

int64_t integer_of(const Value& value) {
  if (const auto integer = value.integer()) return *integer;
  throw Fault(fmt::format("the test expects an integer; got {}", value.describe()));
}
bool is_odd(const Value& value) { return integer_of(value) % 2 != 0; }
bool is_even(const Value& value) { return integer_of(value) % 2 == 0; }
bool is_divisible(const Value& value, const Value& by) {
  const int64_t divisor = integer_of(by);
  if (divisor == 0) throw Fault("division by zero");
  return divisor == -1 || integer_of(value) % divisor == 0;
}

bool is_equal(const Value& a, const Value& b) { return a == b; }
bool is_unequal(const Value& a, const Value& b) { return !(a == b); }
bool is_less(const Value& a, const Value& b) { return less(a, b); }
bool is_at_most(const Value& a, const Value& b) { return less(a, b) || a == b; }
bool is_greater(const Value& a, const Value& b) { return less(b, a); }
bool is_at_least(const Value& a, const Value& b) { return less(b, a) || a == b; }

bool is_in(Interpreter& interpreter, const Value& value, const CallArguments& arguments) {
  return contains(interpreter, only(arguments), value);
}

constexpr std::array kTests = {
    Test{"defined", alone<is_defined>},
    Test{"undefined", alone<is_undefined>},
    Test{"none", alone<is_none>},
    Test{"boolean", alone<is_boolean>},
    Test{"true", alone<is_true>},
    Test{"false", alone<is_false>},
    Test{"integer", alone<is_integer>},
    Test{"float", alone<is_float>},
    Test{"number", alone<is_number>},
    Test{"string", alone<is_string>},
    Test{"mapping", alone<is_mapping>},
    Test{"sequence", alone<is_sequence>},
    Test{"iterable", alone<is_iterable>},
    Test{"callable", alone<is_callable>},
    Test{"odd", alone<is_odd>},
    Test{"even", alone<is_even>},
    Test{"divisibleby", against<is_divisible>},
    Test{"eq", against<is_equal>},
    Test{"equalto", against<is_equal>},
    Test{"ne", against<is_unequal>},
    Test{"lt", against<is_less>},
    Test{"lessthan", against<is_less>},
    Test{"le", against<is_at_most>},
    Test{"gt", against<is_greater>},
    Test{"greaterthan", against<is_greater>},
    Test{"ge", against<is_at_least>},
    Test{"in", is_in},
};

}  // namespace

const Test* find_test(std::string_view name) {
  const auto found = std::find_if(kTests.begin(), kTests.end(), [&](const Test& t) { return t.name == name; });
  return found == kTests.end() ? nullptr : &*found;
}

std::vector<std::string> test_names() {
  std::vector<std::string> names;
  for (const Test& test : kTests) names.emplace_back(test.name);
  return names;
}

}  // namespace danlu::infer::jinja
