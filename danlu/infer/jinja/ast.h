// A template as a tree.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "danlu/infer/jinja/value.h"

namespace danlu::infer::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;  // null where one may be absent
struct Filter;                                      // builtins.h
struct Test;

struct Arguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
};

struct Literal {
  Value value;
};
struct Name {
  std::string name;
};
struct ListLiteral {
  std::vector<ExpressionPtr> items;
};
struct DictLiteral {
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> items;
};
struct Attribute {  // object.name
  ExpressionPtr object;
  std::string name;
};
struct Item {  // object[key]
  ExpressionPtr object, key;
};
struct Slice {  // object[begin:end:step]
  ExpressionPtr object, begin, end, step;
};
struct Call {
  ExpressionPtr callee;
  Arguments arguments;
};
struct Filtered {  // input | filter(arguments)
  ExpressionPtr input;
  const Filter* filter;
  Arguments arguments;
};
struct Tested {  // input is [not] test(arguments)
  ExpressionPtr input;
  const Test* test;
  Arguments arguments;
  bool negated;
};
struct Unary {  // "not", "-", "+"
  std::string op;
  ExpressionPtr operand;
};
struct Binary {  // "and", "or", "+", "-", "~", "*", "/", "//", "%", "**"
  std::string op;
  ExpressionPtr left, right;
};
struct Comparison {  // a < b <= c; "==", "!=", "<", "<=", ">", ">=", "in", "not in"
  ExpressionPtr first;
  std::vector<std::pair<std::string, ExpressionPtr>> rest;
};
struct Conditional {  // then if condition else otherwise
  ExpressionPtr then, condition, otherwise;
};

struct Expression {
  int line;
  int height;  // of the tree below, which is bounded: trees are walked by recursion
  std::variant<Literal, Name, ListLiteral, DictLiteral, Attribute, Item, Slice, Call, Filtered, Tested, Unary, Binary,
               Comparison, Conditional>
      node;
};

struct Statement;
using Block = std::vector<Statement>;

struct Print {
  ExpressionPtr value;
};
struct For {
  std::vector<std::string> targets;
  ExpressionPtr items, condition;
  Block body, otherwise;
};
struct If {
  std::vector<std::pair<ExpressionPtr, Block>> branches;
  Block otherwise;
};
struct Set {  // set a, b = value; set object.attribute = value
  std::vector<std::string> targets;
  std::string attribute;
  ExpressionPtr value;
};
struct SetBlock {  // set name ... endset
  std::string target;
  Block body;
};
struct Macro {
  std::string name;
  std::vector<std::pair<std::string, ExpressionPtr>> parameters;  // with their defaults
  Block body;
};
struct Break {};
struct Continue {};

struct Statement {
  int line;
  std::variant<Text, Print, For, If, Set, SetBlock, std::unique_ptr<Macro>, Break, Continue, Block> node;
};

}  // namespace danlu::infer::jinja
