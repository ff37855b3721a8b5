// Walks the tree of a template.
#pragma once

#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "danlu/infer/jinja/ast.h"
#include "danlu/infer/jinja/builtins.h"

namespace danlu::infer::jinja {

class Interpreter {
 public:
  using Variables = std::vector<std::pair<std::string, Value>>;

  // `now` is the time of strftime_now.
  Interpreter(Variables variables, std::time_t now);

  // What the template prints. Throws Fault; line() then is the place.
  Text run(const Block& block);
  int line() const { return line_; }

  // Templates are data from elsewhere: every step, and every byte that is made, counts towards a limit. Throws Fault.
  void spend(size_t amount);
  std::time_t now() const { return now_; }

 private:
  // How a block ended.
  enum class Flow { normal, broken, continued };

  class Depth;
  struct StatementVisitor;
  struct ExpressionVisitor;

  Flow execute(const Block& block);
  Flow execute(const Statement& statement);
  Flow execute_for(const For& loop);
  Text capture(const Block& block);
  void assign(const std::vector<std::string>& targets, const Value& value);

  Value evaluate(const Expression& expression);
  CallArguments evaluate(const Arguments& arguments);
  Value evaluate_call(const Call& call);
  Value call_macro(const Macro& macro, const CallArguments& arguments);
  Value evaluate_binary(const Binary& binary);
  bool compare(const std::string& op, const Value& a, const Value& b);
  Value slice(const Slice& slice);

  Value look_up(const std::string& name) const;
  void set(const std::string& name, Value value);

  std::vector<Variables> scopes_;  // the template's own first
  size_t base_ = 0;                // the innermost macro call sees its own scopes, from here on, and the template's own
  std::vector<Text> outputs_;      // the innermost last
  const std::time_t now_;
  size_t spent_ = 0;
  int depth_ = 0;
  int line_ = 1;
};

}  // namespace danlu::infer::jinja
