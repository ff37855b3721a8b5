#include "danlu/infer/jinja/interpreter.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "danlu/base/format.h"
#include "danlu/infer/jinja/fault.h"

namespace danlu::infer::jinja {
namespace {

// What a template may do, counted in bytes that it makes; a step takes about as long as so many bytes.
constexpr size_t kBudget = size_t{64} << 20;
constexpr size_t kStepCost = 32;
constexpr size_t kIterationCost = 256;
constexpr int kMaxDepth = 1000;                // of expressions, blocks and macros within each other

[[noreturn]] void bad_operands(const std::string& op, const Value& a, const Value& b) {
  throw Fault(fmt::format("'{}' does not take {} and {}", op, a.describe(), b.describe()));
}

// Integers with a check for overflow, as Python's never do.
int64_t integer_arithmetic(const std::string& op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflow = false;
  if (op == "+") {
    overflow = __builtin_add_overflow(a, b, &result);
  } else if (op == "-") {
    overflow = __builtin_sub_overflow(a, b, &result);
  } else if (op == "*") {
    overflow = __builtin_mul_overflow(a, b, &result);
  } else {  // "//" and "%", which round down
    if (b == 0) throw Fault("division by zero");
    if (b == -1) {
      overflow = op == "//" && __builtin_sub_overflow(int64_t{0}, a, &result);
    } else {
      const int64_t quotient = a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
      result = op == "//" ? quotient : a - quotient * b;
    }
  }
  if (overflow) throw Fault(fmt::format("the result of '{}' is too large", op));
  return result;
}

Value power(const Value& a, const Value& b) {
  const auto base = a.integer(), exponent = b.integer();
  if (!base || !exponent || *exponent < 0) return std::pow(a.number(), b.number());
  int64_t result = 1;
  for (int64_t i = 0; i < *exponent; ++i) {
    if (i >= 64 && *base >= -1 && *base <= 1) return *base == -1 && *exponent % 2 != 0 ? int64_t{-1} : *base * *base;
    result = integer_arithmetic("*", result, *base);
  }
  return result;
}

Value float_arithmetic(const std::string& op, double a, double b) {
  if (op == "+") return a + b;
  if (op == "-") return a - b;
  if (op == "*") return a * b;
  if (b == 0) throw Fault("division by zero");
  if (op == "//") return std::floor(a / b);
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

Value arithmetic(const std::string& op, const Value& a, const Value& b) {
  if (!a.is_number() || !b.is_number()) bad_operands(op, a, b);
  if (op == "**") return power(a, b);
  if (op == "/") {
    if (b.number() == 0) throw Fault("division by zero");
    return a.number() / b.number();
  }
  const auto x = a.integer(), y = b.integer();
  return x && y ? Value(integer_arithmetic(op, *x, *y)) : float_arithmetic(op, a.number(), b.number());
}

// A bound of a slice as Python reads it: from the end if negative, kept within [low, high].
int64_t slice_bound(const Value& value, int64_t absent, int64_t size, int64_t low, int64_t high) {
  if (value.is_none()) return absent;
  const auto bound = value.integer();
  if (!bound) throw Fault(fmt::format("a slice takes integers; got {}", value.describe()));
  return std::clamp(*bound < 0 ? *bound + size : *bound, low, high);
}

}  // namespace

// The recursion of this class, bounded for the sake of the stack.
class Interpreter::Depth {
 public:
  Depth(Interpreter& interpreter, int line) : interpreter_(interpreter), outer_line_(interpreter.line_) {
    interpreter.line_ = line;
    if (++interpreter.depth_ > kMaxDepth) throw Fault(fmt::format("nested or recursive more than {} deep", kMaxDepth));
    interpreter.spend(kStepCost);
  }
  // Only where all went well: the line of a fault stays.
  void leave() {
    --interpreter_.depth_;
    interpreter_.line_ = outer_line_;
  }

 private:
  Interpreter& interpreter_;
  int outer_line_;
};

Interpreter::Interpreter(Variables variables, std::time_t now) : now_(now) { scopes_.push_back(std::move(variables)); }

Text Interpreter::run(const Block& block) { return capture(block); }

void Interpreter::spend(size_t amount) {
  if (amount > kBudget - spent_) throw Fault("the template does too much: its limit of steps and bytes is used up");
  spent_ += amount;
}

// --- statements

Text Interpreter::capture(const Block& block) {
  outputs_.emplace_back();
  execute(block);
  Text output = std::move(outputs_.back());
  outputs_.pop_back();
  return output;
}

Interpreter::Flow Interpreter::execute(const Block& block) {
  for (const Statement& statement : block) {
    if (const Flow flow = execute(statement); flow != Flow::normal) return flow;
  }
  return Flow::normal;
}

struct Interpreter::StatementVisitor {
  Interpreter& self;

  Flow operator()(const Text& text) const { return print(text); }
  Flow operator()(const Print& print_value) const { return print(self.evaluate(*print_value.value).to_text()); }
  Flow operator()(const For& loop) const { return self.execute_for(loop); }
  Flow operator()(const If& branches) const {
    for (const auto& [condition, block] : branches.branches) {
      if (self.evaluate(*condition).truth()) return self.execute(block);
    }
    return self.execute(branches.otherwise);
  }
  Flow operator()(const Set& set) const {
    const Value value = self.evaluate(*set.value);
    if (set.attribute.empty()) {
      self.assign(set.targets, value);
      return Flow::normal;
    }
    const Value object = self.look_up(set.targets[0]);
    if (!object.attributes()) {
      throw Fault(fmt::format("cannot set the attribute '{}' of {}; only those of a namespace", set.attribute,
                              object.describe()));
    }
    if (value.attributes()) throw Fault("a namespace cannot be put into another namespace");
    object.attributes()->attributes.set(Text(set.attribute), value);
    return Flow::normal;
  }
  Flow operator()(const SetBlock& set) const {
    self.scopes_.emplace_back();
    Text text = self.capture(set.body);
    self.scopes_.pop_back();
    self.set(set.target, std::move(text));
    return Flow::normal;
  }
  Flow operator()(const std::unique_ptr<Macro>& macro) const {
    self.set(macro->name, macro.get());
    return Flow::normal;
  }
  Flow operator()(const Break&) const { return Flow::broken; }
  Flow operator()(const Continue&) const { return Flow::continued; }
  Flow operator()(const Block& block) const { return self.execute(block); }

 private:
  Flow print(const Text& text) const {
    self.spend(text.size());
    self.outputs_.back() += text;
    return Flow::normal;
  }
};

Interpreter::Flow Interpreter::execute(const Statement& statement) {
  Depth depth(*this, statement.line);
  const Flow flow = std::visit(StatementVisitor{*this}, statement.node);
  depth.leave();
  return flow;
}

Interpreter::Flow Interpreter::execute_for(const For& loop) {
  List items = elements(*this, evaluate(*loop.items));
  scopes_.emplace_back();
  if (loop.condition) {
    std::erase_if(items, [&](const Value& item) {
      scopes_.back().clear();
      assign(loop.targets, item);
      return !evaluate(*loop.condition).truth();
    });
  }
  const auto size = static_cast<int64_t>(items.size());
  Flow flow = Flow::normal;
  for (int64_t i = 0; i < size && flow != Flow::broken; ++i) {
    Dict state;
    state.append("index", i + 1);
    state.append("index0", i);
    state.append("revindex", size - i);
    state.append("revindex0", size - i - 1);
    state.append("first", i == 0);
    state.append("last", i == size - 1);
    state.append("length", size);
    if (i > 0) state.append("previtem", items[static_cast<size_t>(i - 1)]);
    if (i < size - 1) state.append("nextitem", items[static_cast<size_t>(i + 1)]);
    scopes_.back().clear();
    set("loop", std::move(state));
    assign(loop.targets, items[static_cast<size_t>(i)]);
    spend(kIterationCost);
    flow = execute(loop.body);
  }
  scopes_.pop_back();
  return size == 0 ? execute(loop.otherwise) : Flow::normal;
}

void Interpreter::assign(const std::vector<std::string>& targets, const Value& value) {
  if (targets.size() == 1) return set(targets[0], value);
  const List values = elements(*this, value);
  if (values.size() != targets.size()) {
    throw Fault(
        fmt::format("got {} values for the {} names {}", values.size(), targets.size(), fmt::join(targets, ", ")));
  }
  for (size_t i = 0; i < values.size(); ++i) set(targets[i], values[i]);
}

void Interpreter::set(const std::string& name, Value value) {
  for (auto& [known, old] : scopes_.back()) {
    if (known == name) {
      old = std::move(value);
      return;
    }
  }
  scopes_.back().emplace_back(name, std::move(value));
}

Value Interpreter::look_up(const std::string& name) const {
  const auto find = [&](const Variables& scope) {
    return std::find_if(scope.begin(), scope.end(), [&](const auto& entry) { return entry.first == name; });
  };
  for (size_t i = scopes_.size(); i-- > base_;) {
    if (const auto found = find(scopes_[i]); found != scopes_[i].end()) return found->second;
  }
  if (const auto found = find(scopes_[0]); found != scopes_[0].end()) return found->second;
  if (is_global(name)) return Global{name};
  return Undefined{name};
}

// --- expressions

struct Interpreter::ExpressionVisitor {
  Interpreter& self;

  Value operator()(const Literal& literal) const { return literal.value; }
  Value operator()(const Name& name) const { return self.look_up(name.name); }
  Value operator()(const ListLiteral& literal) const {
    List list;
    for (const ExpressionPtr& item : literal.items) list.push_back(self.evaluate(*item));
    return list;
  }
  Value operator()(const DictLiteral& literal) const {
    Dict dict;
    for (const auto& [key, value] : literal.items) {
      const Value name = self.evaluate(*key);
      if (!name.text()) throw Fault(fmt::format("the keys of a dict are strings here; got {}", name.describe()));
      dict.set(*name.text(), self.evaluate(*value));
    }
    return dict;
  }
  Value operator()(const Attribute& attribute) const {
    return get_attribute(self.evaluate(*attribute.object), attribute.name);
  }
  Value operator()(const Item& item) const {
    const Value object = self.evaluate(*item.object);
    return get_item(self, object, self.evaluate(*item.key));
  }
  Value operator()(const Slice& slice) const { return self.slice(slice); }
  Value operator()(const Call& call) const { return self.evaluate_call(call); }
  Value operator()(const Filtered& filtered) const {
    const Value input = self.evaluate(*filtered.input);
    return filtered.filter->apply(self, input, self.evaluate(filtered.arguments));
  }
  Value operator()(const Tested& tested) const {
    const Value input = self.evaluate(*tested.input);
    return tested.test->check(self, input, self.evaluate(tested.arguments)) != tested.negated;
  }
  Value operator()(const Unary& unary) const {
    const Value operand = self.evaluate(*unary.operand);
    if (unary.op == "not") return !operand.truth();
    if (!operand.is_number()) throw Fault(fmt::format("'{}' does not take {}", unary.op, operand.describe()));
    return arithmetic(unary.op, int64_t{0}, operand);
  }
  Value operator()(const Binary& binary) const { return self.evaluate_binary(binary); }
  Value operator()(const Comparison& comparison) const {
    Value left = self.evaluate(*comparison.first);
    for (const auto& [op, expression] : comparison.rest) {
      Value right = self.evaluate(*expression);
      if (!self.compare(op, left, right)) return false;
      left = std::move(right);
    }
    return true;
  }
  Value operator()(const Conditional& conditional) const {
    if (self.evaluate(*conditional.condition).truth()) return self.evaluate(*conditional.then);
    return conditional.otherwise ? self.evaluate(*conditional.otherwise) : Value();
  }
};

Value Interpreter::evaluate(const Expression& expression) {
  Depth depth(*this, expression.line);
  Value value = std::visit(ExpressionVisitor{*this}, expression.node);
  depth.leave();
  return value;
}

CallArguments Interpreter::evaluate(const Arguments& arguments) {
  CallArguments values;
  for (const ExpressionPtr& argument : arguments.positional) values.positional.push_back(evaluate(*argument));
  for (const auto& [name, argument] : arguments.named) values.named.emplace_back(name, evaluate(*argument));
  return values;
}

Value Interpreter::evaluate_call(const Call& call) {
  if (const auto* attribute = std::get_if<Attribute>(&call.callee->node)) {
    const Value object = evaluate(*attribute->object);
    const Value member = object.attributes() ? get_attribute(object, attribute->name) : Value();
    if (!member.macro()) return call_method(*this, object, attribute->name, evaluate(call.arguments));
    return call_macro(*member.macro(), evaluate(call.arguments));
  }
  const Value callee = evaluate(*call.callee);
  if (callee.macro()) return call_macro(*callee.macro(), evaluate(call.arguments));
  if (callee.global()) return call_global(*this, callee.global()->name, evaluate(call.arguments));
  throw Fault(fmt::format("{} cannot be called", callee.describe()));
}

Value Interpreter::call_macro(const Macro& macro, const CallArguments& arguments) {
  if (arguments.positional.size() > macro.parameters.size()) {
    throw Fault(fmt::format("the macro '{}' takes {} arguments; got {}", macro.name, macro.parameters.size(),
                            arguments.positional.size()));
  }
  for (const auto& [name, value] : arguments.named) {
    const bool known = std::any_of(macro.parameters.begin(), macro.parameters.end(),
                                   [&](const auto& parameter) { return parameter.first == name; });
    if (!known) throw Fault(fmt::format("the macro '{}' has no parameter '{}'", macro.name, name));
  }
  const size_t outer_base = std::exchange(base_, scopes_.size());
  scopes_.emplace_back();
  for (size_t i = 0; i < macro.parameters.size(); ++i) {
    const auto& [name, fallback] = macro.parameters[i];
    const auto named = std::find_if(arguments.named.begin(), arguments.named.end(),
                                    [&](const auto& argument) { return argument.first == name; });
    if (i < arguments.positional.size()) {
      set(name, arguments.positional[i]);
    } else if (named != arguments.named.end()) {
      set(name, named->second);
    } else {
      set(name, fallback ? evaluate(*fallback) : Value(Undefined{name}));
    }
  }
  Text output = capture(macro.body);
  scopes_.pop_back();
  base_ = outer_base;
  return output;
}

Value Interpreter::evaluate_binary(const Binary& binary) {
  const std::string& op = binary.op;
  Value a = evaluate(*binary.left);
  if (op == "and") return a.truth() ? evaluate(*binary.right) : a;
  if (op == "or") return a.truth() ? a : evaluate(*binary.right);
  Value b = evaluate(*binary.right);
  if (op == "~" || (op == "+" && a.text() && b.text())) {
    Text text = a.to_text();
    const Text tail = b.to_text();
    spend(text.size() + tail.size());
    text += tail;
    return text;
  }
  if (op == "+" && a.list() && b.list()) {
    spend((a.list()->size() + b.list()->size()) * sizeof(Value));
    List list = *a.list();
    list.insert(list.end(), b.list()->begin(), b.list()->end());
    return list;
  }
  if (op == "*" && b.text() && a.integer()) std::swap(a, b);
  if (op == "*" && a.text() && b.integer()) {
    const auto times = static_cast<size_t>(std::max<int64_t>(0, *b.integer()));
    if (!a.text()->empty() && times > kBudget / a.text()->size()) throw Fault("the result of '*' is too large");
    spend(a.text()->size() * times);
    Text text;
    for (size_t i = 0; i < times && !a.text()->empty(); ++i) text += *a.text();
    return text;
  }
  return arithmetic(op, a, b);
}

bool Interpreter::compare(const std::string& op, const Value& a, const Value& b) {
  if (op == "==") return a == b;
  if (op == "!=") return !(a == b);
  if (op == "<") return less(a, b);
  if (op == ">") return less(b, a);
  if (op == "<=") return less(a, b) || a == b;
  if (op == ">=") return less(b, a) || a == b;
  return contains(*this, b, a) == (op == "in");
}

Value Interpreter::slice(const Slice& slice) {
  const Value object = evaluate(*slice.object);
  const auto bound = [&](const ExpressionPtr& part) { return part ? evaluate(*part) : Value(None{}); };
  const Value begin = bound(slice.begin), end = bound(slice.end), by = bound(slice.step);
  const List* list = object.list();
  const Text* text = object.text();
  if (!list && !text) throw Fault(fmt::format("{} has no slices", object.describe()));
  const std::vector<size_t> starts = text ? character_starts(text->bytes()) : std::vector<size_t>();
  const auto size = static_cast<int64_t>(text ? starts.size() - 1 : list->size());
  const int64_t step = slice_bound(by, 1, 0, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
  if (step == 0) throw Fault("the step of a slice is zero");
  const bool forward = step > 0;
  const int64_t low = forward ? 0 : -1, high = forward ? size : size - 1;
  const int64_t first = slice_bound(begin, forward ? low : high, size, low, high);
  const int64_t last = slice_bound(end, forward ? high : low, size, low, high);
  spend(static_cast<size_t>(size) * (text ? sizeof(size_t) : sizeof(Value)));
  List items;
  Text characters;
  for (int64_t i = first; forward ? i < last : i > last; i += step) {
    const auto at = static_cast<size_t>(i);
    if (text) {
      if (step == 1) return text->substr(starts[at], starts[static_cast<size_t>(last)]);
      characters += text->substr(starts[at], starts[at + 1]);
    } else {
      items.push_back((*list)[at]);
    }
  }
  return text ? Value(std::move(characters)) : Value(std::move(items));
}

}  // namespace danlu::infer::jinja
