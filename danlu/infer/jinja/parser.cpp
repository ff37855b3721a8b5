// Recursive descent, with the grammar and precedences of Jinja 3.
#include "danlu/infer/jinja/parser.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include "danlu/base/format.h"
#include "danlu/base/options.h"
#include "danlu/infer/jinja/builtins.h"
#include "danlu/infer/jinja/fault.h"
#include "danlu/infer/jinja/lexer.h"

namespace danlu::infer::jinja {
namespace {

constexpr int kMaxHeight = 200;   // of an expression
constexpr int kMaxNesting = 100;  // of blocks and brackets

using Kind = Token::Kind;

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Block run() { return parse_block({}, ""); }

 private:
  // --- tokens

  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  Token next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }

  bool accept_symbol(std::string_view symbol) {
    if (!peek().is_symbol(symbol)) return false;
    ++at_;
    return true;
  }
  bool accept_name(std::string_view name) {
    if (!peek().is_name(name)) return false;
    ++at_;
    return true;
  }

  [[noreturn]] void fail(const std::string& message) const { throw SyntaxError(peek().line, message); }
  [[noreturn]] void unexpected(std::string_view expected) const {
    fail(fmt::format("got {}; expected {}", describe(peek()), expected));
  }
  void expect_symbol(std::string_view symbol) {
    if (!accept_symbol(symbol)) unexpected(fmt::format("'{}'", symbol));
  }
  void expect_block_end() {
    if (peek().kind != Kind::block_end) unexpected("%}");
    ++at_;
  }
  std::string expect_name(std::string_view what) {
    if (peek().kind != Kind::name) unexpected(what);
    return next().text;
  }
  // The name of a variable that the template gives.
  std::string expect_target() {
    static const std::vector<std::string> kReserved = {"true", "false", "none", "True", "False", "None", "loop"};
    if (std::find(kReserved.begin(), kReserved.end(), peek().text) != kReserved.end()) unexpected("a variable's name");
    return expect_name("a variable's name");
  }

  // Bounds the recursion of the parser itself.
  class Nesting {
   public:
    explicit Nesting(Parser& parser) : parser_(parser) {
      if (++parser_.nesting_ > kMaxNesting) parser_.fail(fmt::format("nested more than {} deep", kMaxNesting));
    }
    ~Nesting() { --parser_.nesting_; }

   private:
    Parser& parser_;
  };

  template <class Node>
  ExpressionPtr make(int line, Node node, std::initializer_list<const ExpressionPtr*> children = {},
                     const Arguments* arguments = nullptr) {
    int height = 0;
    const auto look = [&](const ExpressionPtr& child) {
      if (child) height = std::max(height, child->height);
    };
    for (const ExpressionPtr* child : children) look(*child);
    if (arguments) {
      for (const ExpressionPtr& argument : arguments->positional) look(argument);
      for (const auto& [name, argument] : arguments->named) look(argument);
    }
    if (height >= kMaxHeight) throw SyntaxError(line, fmt::format("an expression of more than {} levels", kMaxHeight));
    return std::make_unique<Expression>(Expression{line, height + 1, std::move(node)});
  }

  // --- statements

  // Up to a block that begins with one of `ends`, whose name is then the next token.
  Block parse_block(std::initializer_list<std::string_view> ends, std::string_view opened) {
    const Nesting nesting(*this);
    const int line = peek().line;
    Block block;
    for (;;) {
      const Token& token = peek();
      if (token.kind == Kind::end) {
        if (ends.size() == 0) return block;
        throw SyntaxError(line, fmt::format("the '{}' that begins here has no end", opened));
      }
      if (token.kind == Kind::text) {
        block.push_back({token.line, Text(token.text)});
        ++at_;
      } else if (token.kind == Kind::print_begin) {
        ++at_;
        ExpressionPtr value = parse_tuple();
        if (peek().kind != Kind::print_end) unexpected("}}");
        ++at_;
        block.push_back({token.line, Print{std::move(value)}});
      } else {
        ++at_;
        if (peek().kind == Kind::name && std::find(ends.begin(), ends.end(), peek().text) != ends.end()) return block;
        parse_statement(block);
      }
    }
  }

  void parse_statement(Block& block) {
    const int line = peek().line;
    const std::string name = expect_name("the name of a statement");
    if (name == "if") {
      block.push_back({line, parse_if()});
    } else if (name == "for") {
      block.push_back({line, parse_for()});
    } else if (name == "set") {
      parse_set(block, line);
    } else if (name == "macro") {
      block.push_back({line, parse_macro()});
    } else if (name == "break" || name == "continue") {
      if (loops_ == 0) throw SyntaxError(line, fmt::format("'{}' outside of a loop", name));
      expect_block_end();
      if (name == "break") {
        block.push_back({line, Break{}});
      } else {
        block.push_back({line, Continue{}});
      }
    } else if (name == "generation") {  // marks what an assistant said, for training; of no effect here
      expect_block_end();
      Block body = parse_block({"endgeneration"}, name);
      ++at_;
      expect_block_end();
      block.push_back({line, std::move(body)});
    } else if (name.starts_with("end") || name == "else" || name == "elif") {
      throw SyntaxError(line, fmt::format("'{}' without its beginning", name));
    } else {
      throw SyntaxError(line,
                        fmt::format("unknown statement '{}'{}; known are if, for, set, macro, break, continue", name,
                                    did_you_mean(name, {"if", "for", "set", "macro", "break", "continue"})));
    }
  }

  If parse_if() {
    If result;
    for (;;) {
      ExpressionPtr condition = parse_or();
      expect_block_end();
      Block body = parse_block({"elif", "else", "endif"}, "if");
      result.branches.emplace_back(std::move(condition), std::move(body));
      const std::string end = next().text;
      if (end == "elif") continue;
      expect_block_end();
      if (end == "else") {
        result.otherwise = parse_block({"endif"}, "else");
        ++at_;
        expect_block_end();
      }
      return result;
    }
  }

  For parse_for() {
    For loop;
    loop.targets = parse_targets();
    if (!accept_name("in")) unexpected("'in'");
    loop.items = parse_tuple(/*with_conditional=*/false);
    if (accept_name("if")) loop.condition = parse_expression();
    if (peek().is_name("recursive")) fail("recursive loops are not known here");
    expect_block_end();
    ++loops_;
    loop.body = parse_block({"else", "endfor"}, "for");
    --loops_;
    if (next().text == "else") {
      expect_block_end();
      loop.otherwise = parse_block({"endfor"}, "else");
      ++at_;
    }
    expect_block_end();
    return loop;
  }

  // a   a, b   (a, b)
  std::vector<std::string> parse_targets() {
    const bool bracket = accept_symbol("(");
    std::vector<std::string> targets = {expect_target()};
    while (accept_symbol(",")) targets.push_back(expect_target());
    if (bracket) expect_symbol(")");
    return targets;
  }

  void parse_set(Block& block, int line) {
    Set set;
    set.targets = parse_targets();
    if (set.targets.size() == 1 && accept_symbol(".")) set.attribute = expect_name("an attribute's name");
    if (accept_symbol("=")) {
      set.value = parse_tuple();
      expect_block_end();
      block.push_back({line, std::move(set)});
      return;
    }
    if (set.targets.size() != 1 || !set.attribute.empty()) unexpected("'='");
    if (peek().is_symbol("|")) fail("a filter on a block set is not known here");
    expect_block_end();
    SetBlock result{set.targets[0], parse_block({"endset"}, "set")};
    ++at_;
    expect_block_end();
    block.push_back({line, std::move(result)});
  }

  std::unique_ptr<Macro> parse_macro() {
    if (nesting_ > 1) fail("a macro within another block is not known here");
    auto macro = std::make_unique<Macro>();
    macro->name = expect_target();
    expect_symbol("(");
    while (!accept_symbol(")")) {
      if (!macro->parameters.empty()) expect_symbol(",");
      std::string parameter = expect_target();
      ExpressionPtr fallback = accept_symbol("=") ? parse_expression() : nullptr;
      macro->parameters.emplace_back(std::move(parameter), std::move(fallback));
    }
    expect_block_end();
    macro->body = parse_block({"endmacro"}, "macro");
    ++at_;
    expect_block_end();
    return macro;
  }

  // --- expressions, loosest first

  ExpressionPtr parse_tuple(bool with_conditional = true) {
    const int line = peek().line;
    const auto parse_one = [&] { return with_conditional ? parse_expression() : parse_or(); };
    ExpressionPtr first = parse_one();
    if (!peek().is_symbol(",")) return first;
    Arguments items;
    items.positional.push_back(std::move(first));
    while (accept_symbol(",")) {
      if (peek().kind == Kind::block_end || peek().kind == Kind::print_end || peek().is_symbol(")")) break;
      items.positional.push_back(parse_one());
    }
    return make_list(line, std::move(items));
  }

  ExpressionPtr make_list(int line, Arguments items) {
    auto list = make(line, ListLiteral{}, {}, &items);
    std::get<ListLiteral>(list->node).items = std::move(items.positional);
    return list;
  }

  ExpressionPtr parse_expression() {
    const Nesting nesting(*this);
    const int line = peek().line;
    ExpressionPtr value = parse_or();
    while (accept_name("if")) {
      ExpressionPtr condition = parse_or();
      ExpressionPtr otherwise = accept_name("else") ? parse_expression() : nullptr;
      auto node = make(line, Conditional{}, {&value, &condition, &otherwise});
      std::get<Conditional>(node->node) = {std::move(value), std::move(condition), std::move(otherwise)};
      value = std::move(node);
    }
    return value;
  }

  ExpressionPtr make_binary(int line, std::string op, ExpressionPtr left, ExpressionPtr right) {
    auto node = make(line, Binary{}, {&left, &right});
    std::get<Binary>(node->node) = {std::move(op), std::move(left), std::move(right)};
    return node;
  }
  ExpressionPtr make_unary(int line, std::string op, ExpressionPtr operand) {
    auto node = make(line, Unary{}, {&operand});
    std::get<Unary>(node->node) = {std::move(op), std::move(operand)};
    return node;
  }

  ExpressionPtr parse_or() {
    ExpressionPtr left = parse_and();
    while (peek().is_name("or")) {
      const int line = next().line;
      left = make_binary(line, "or", std::move(left), parse_and());
    }
    return left;
  }

  ExpressionPtr parse_and() {
    ExpressionPtr left = parse_not();
    while (peek().is_name("and")) {
      const int line = next().line;
      left = make_binary(line, "and", std::move(left), parse_not());
    }
    return left;
  }

  ExpressionPtr parse_not() {
    if (!peek().is_name("not") || peek(1).is_name("in")) return parse_comparison();
    const Nesting nesting(*this);
    const int line = next().line;
    return make_unary(line, "not", parse_not());
  }

  std::string accept_comparison() {
    for (const char* op : {"==", "!=", "<", "<=", ">", ">="}) {
      if (accept_symbol(op)) return op;
    }
    if (accept_name("in")) return "in";
    if (peek().is_name("not") && peek(1).is_name("in")) {
      at_ += 2;
      return "not in";
    }
    return "";
  }

  ExpressionPtr parse_comparison() {
    const int line = peek().line;
    ExpressionPtr first = parse_sum();
    Arguments rest;
    for (std::string op = accept_comparison(); !op.empty(); op = accept_comparison()) {
      rest.named.emplace_back(op, parse_sum());
    }
    if (rest.named.empty()) return first;
    auto node = make(line, Comparison{}, {&first}, &rest);
    std::get<Comparison>(node->node) = {std::move(first), std::move(rest.named)};
    return node;
  }

  // A chain of operators of one precedence, from the left.
  template <class Operand>
  ExpressionPtr parse_chain(std::initializer_list<std::string_view> operators, const Operand& parse_operand) {
    ExpressionPtr left = parse_operand();
    while (peek().kind == Kind::symbol &&
           std::find(operators.begin(), operators.end(), peek().text) != operators.end()) {
      const Token op = next();
      left = make_binary(op.line, op.text, std::move(left), parse_operand());
    }
    return left;
  }
  ExpressionPtr parse_sum() {
    return parse_chain({"+", "-"}, [&] { return parse_concatenation(); });
  }
  ExpressionPtr parse_concatenation() {
    return parse_chain({"~"}, [&] { return parse_product(); });
  }
  ExpressionPtr parse_product() {
    return parse_chain({"*", "/", "//", "%"}, [&] { return parse_power(); });
  }
  ExpressionPtr parse_power() {
    return parse_chain({"**"}, [&] { return parse_unary(/*with_filters=*/true); });
  }

  ExpressionPtr parse_unary(bool with_filters) {
    const Nesting nesting(*this);
    const int line = peek().line;
    ExpressionPtr value;
    if (accept_symbol("-")) {
      value = make_unary(line, "-", parse_unary(false));
    } else if (accept_symbol("+")) {
      value = make_unary(line, "+", parse_unary(false));
    } else {
      value = parse_primary();
    }
    value = parse_postfix(std::move(value));
    return with_filters ? parse_filters(std::move(value)) : std::move(value);
  }

  ExpressionPtr parse_primary() {
    const Token token = peek();
    switch (token.kind) {
      case Kind::name:
        ++at_;
        if (token.text == "true" || token.text == "True") return make(token.line, Literal{true});
        if (token.text == "false" || token.text == "False") return make(token.line, Literal{false});
        if (token.text == "none" || token.text == "None") return make(token.line, Literal{None{}});
        return make(token.line, Name{token.text});
      case Kind::string: {
        Text text;
        while (peek().kind == Kind::string) text += Text(next().text);
        return make(token.line, Literal{std::move(text)});
      }
      case Kind::integer: {
        int64_t value = 0;
        const auto [end, error] = std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
        if (error != std::errc()) fail(fmt::format("the number {} is too large", token.text));
        ++at_;
        return make(token.line, Literal{value});
      }
      case Kind::real:
        ++at_;
        return make(token.line, Literal{std::strtod(token.text.c_str(), nullptr)});
      default:
        break;
    }
    if (accept_symbol("(")) {
      if (accept_symbol(")")) return make(token.line, ListLiteral{});
      ExpressionPtr value = parse_tuple();
      expect_symbol(")");
      return value;
    }
    if (accept_symbol("[")) return parse_list(token.line);
    if (accept_symbol("{")) return parse_dict(token.line);
    unexpected("an expression");
  }

  ExpressionPtr parse_list(int line) {
    Arguments items;
    while (!accept_symbol("]")) {
      if (!items.positional.empty()) expect_symbol(",");
      if (accept_symbol("]")) break;
      items.positional.push_back(parse_expression());
    }
    return make_list(line, std::move(items));
  }

  ExpressionPtr parse_dict(int line) {
    Arguments keys, values;
    while (!accept_symbol("}")) {
      if (!keys.positional.empty()) expect_symbol(",");
      if (accept_symbol("}")) break;
      keys.positional.push_back(parse_expression());
      expect_symbol(":");
      values.positional.push_back(parse_expression());
    }
    ExpressionPtr key_list = make_list(line, std::move(keys)), value_list = make_list(line, std::move(values));
    auto node = make(line, DictLiteral{}, {&key_list, &value_list});
    auto& items = std::get<DictLiteral>(node->node).items;
    auto &all_keys = std::get<ListLiteral>(key_list->node).items,
         &all_values = std::get<ListLiteral>(value_list->node).items;
    for (size_t i = 0; i < all_keys.size(); ++i) items.emplace_back(std::move(all_keys[i]), std::move(all_values[i]));
    return node;
  }

  // .name  [key]  (arguments)
  ExpressionPtr parse_postfix(ExpressionPtr value) {
    for (;;) {
      const int line = peek().line;
      if (accept_symbol(".")) {
        if (peek().kind == Kind::integer) {
          ExpressionPtr key = parse_primary();
          value = make_item(line, std::move(value), std::move(key));
          continue;
        }
        auto node = make(line, Attribute{}, {&value});
        std::get<Attribute>(node->node) = {std::move(value), expect_name("an attribute's name")};
        value = std::move(node);
      } else if (accept_symbol("[")) {
        value = parse_subscript(line, std::move(value));
      } else if (accept_symbol("(")) {
        Arguments arguments = parse_arguments();
        auto node = make(line, Call{}, {&value}, &arguments);
        std::get<Call>(node->node) = {std::move(value), std::move(arguments)};
        value = std::move(node);
      } else {
        return value;
      }
    }
  }

  ExpressionPtr make_item(int line, ExpressionPtr object, ExpressionPtr key) {
    auto node = make(line, Item{}, {&object, &key});
    std::get<Item>(node->node) = {std::move(object), std::move(key)};
    return node;
  }

  ExpressionPtr parse_subscript(int line, ExpressionPtr object) {
    ExpressionPtr parts[3];
    size_t part = 0;
    if (!peek().is_symbol(":")) parts[0] = parse_expression();
    if (accept_symbol("]")) return make_item(line, std::move(object), std::move(parts[0]));
    while (accept_symbol(":")) {
      if (++part > 2) fail("a slice has at most three parts");
      if (!peek().is_symbol(":") && !peek().is_symbol("]")) parts[part] = parse_expression();
    }
    expect_symbol("]");
    auto node = make(line, Slice{}, {&object, &parts[0], &parts[1], &parts[2]});
    std::get<Slice>(node->node) = {std::move(object), std::move(parts[0]), std::move(parts[1]), std::move(parts[2])};
    return node;
  }

  // After the opening bracket, through the closing one.
  Arguments parse_arguments() {
    Arguments arguments;
    bool first = true;
    while (!accept_symbol(")")) {
      if (!first) expect_symbol(",");
      first = false;
      if (accept_symbol(")")) break;
      if (peek().is_symbol("*") || peek().is_symbol("**")) fail("unpacked arguments are not known here");
      if (peek().kind == Kind::name && peek(1).is_symbol("=")) {
        std::string name = next().text;
        ++at_;
        arguments.named.emplace_back(std::move(name), parse_expression());
      } else {
        if (!arguments.named.empty()) fail("a positional argument after a named one");
        arguments.positional.push_back(parse_expression());
      }
    }
    return arguments;
  }

  ExpressionPtr parse_filters(ExpressionPtr value) {
    for (;;) {
      const int line = peek().line;
      if (accept_symbol("|")) {
        const std::string name = expect_name("the name of a filter");
        const Filter* filter = find_filter(name);
        if (!filter) {
          throw SyntaxError(line, fmt::format("unknown filter '{}'{}", name, did_you_mean(name, filter_names())));
        }
        Arguments arguments;
        if (accept_symbol("(")) arguments = parse_arguments();
        auto node = make(line, Filtered{}, {&value}, &arguments);
        std::get<Filtered>(node->node) = {std::move(value), filter, std::move(arguments)};
        value = std::move(node);
      } else if (accept_name("is")) {
        value = parse_test(line, std::move(value));
      } else if (peek().is_symbol("(")) {
        value = parse_postfix(std::move(value));
      } else {
        return value;
      }
    }
  }

  ExpressionPtr parse_test(int line, ExpressionPtr input) {
    const bool negated = accept_name("not");
    const std::string name = expect_name("the name of a test");
    const Test* test = find_test(name);
    if (!test) throw SyntaxError(line, fmt::format("unknown test '{}'{}", name, did_you_mean(name, test_names())));
    Arguments arguments;
    if (accept_symbol("(")) {
      arguments = parse_arguments();
    } else if (begins_argument()) {
      arguments.positional.push_back(parse_postfix(parse_primary()));
    }
    auto node = make(line, Tested{}, {&input}, &arguments);
    std::get<Tested>(node->node) = {std::move(input), test, std::move(arguments), negated};
    return node;
  }

  // Whether what follows a test without brackets is its argument.
  bool begins_argument() const {
    const Token& token = peek();
    if (token.kind == Kind::name) {
      return !token.is_name("else") && !token.is_name("or") && !token.is_name("and") && !token.is_name("if") &&
             !token.is_name("is") && !token.is_name("in") && !token.is_name("not");
    }
    return token.kind == Kind::string || token.kind == Kind::integer || token.kind == Kind::real ||
           token.is_symbol("[") || token.is_symbol("{");
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int nesting_ = 0;
  int loops_ = 0;
};

}  // namespace

Block parse(std::string_view source) { return Parser(tokenize(source)).run(); }

}  // namespace danlu::infer::jinja
