// The values that a template computes with: those of Python that Jinja templates see.
//
// Values are immutable and shared, except namespaces, whose attributes templates set.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/infer/jinja/text.h"

namespace danlu::infer::jinja {

class Value;
struct Macro;  // ast.h

struct Undefined {
  std::string name;  // what was looked up
};
struct None {};

using List = std::vector<Value>;

// Keeps the order in which keys came. Keys are texts, as in JSON.
class Dict {
 public:
  const Value* find(std::string_view key) const;
  void set(const Text& key, Value value);
  // A key that is known to be new.
  void append(Text key, Value value);
  const std::vector<std::pair<Text, Value>>& entries() const { return entries_; }

 private:
  std::vector<std::pair<Text, Value>> entries_;
};

struct Namespace {
  Dict attributes;
};

// A function of the language, by name: range, namespace, raise_exception ...
struct Global {
  std::string name;
};

class Value {
 public:
  // Lists and dicts within each other.
  static constexpr int kMaxDepth = 200;

  Value() : data_(Undefined{}) {}
  Value(Undefined undefined) : data_(std::move(undefined)) {}
  Value(None) : data_(None{}) {}
  Value(bool value) : data_(value) {}
  Value(int64_t value) : data_(value) {}
  Value(double value) : data_(value) {}
  Value(Text text) : data_(std::make_shared<const Text>(std::move(text))) {}
  Value(const char* text) : Value(Text(text)) {}
  // Throw Fault when they hold a namespace or are nested too deeply.
  Value(List list);
  Value(Dict dict);
  Value(std::shared_ptr<Namespace> attributes) : data_(std::move(attributes)) {}
  Value(Global global) : data_(std::move(global)) {}
  Value(const Macro* macro) : data_(macro) {}

  // Every string in it, keys too, is of that origin.
  static Value from_json(const Json& json, Text::Origin origin);

  bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  bool is_none() const { return std::holds_alternative<None>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_int() const { return std::holds_alternative<int64_t>(data_); }
  bool is_float() const { return std::holds_alternative<double>(data_); }
  bool is_number() const { return is_bool() || is_int() || is_float(); }

  // Null if it is something else.
  const Text* text() const;
  const List* list() const;
  const Dict* dict() const;
  Namespace* attributes() const;
  const Global* global() const { return std::get_if<Global>(&data_); }
  const Macro* macro() const;

  // As Python takes booleans for 0 and 1.
  std::optional<int64_t> integer() const;
  double number() const;  // 0 for what is none

  bool truth() const;
  // "a list", "the undefined value 'tools'", for messages.
  std::string describe() const;
  int depth() const;

  // Throws Fault for anything that has no simple text: lists and dicts would come in Python's notation.
  Text to_text() const;

  friend bool operator==(const Value& a, const Value& b);

 private:
  struct Nested {
    std::variant<List, Dict> items;
    int depth = 0;
  };
  static int depth_around(const Value& value, int depth);

  std::variant<Undefined, None, bool, int64_t, double, std::shared_ptr<const Text>, std::shared_ptr<const Nested>,
               std::shared_ptr<Namespace>, Global, const Macro*>
      data_;
};

// a < b for numbers and texts; throws Fault for other pairs, as Python does.
bool less(const Value& a, const Value& b);

// As Python writes a float: 1.0, 0.1, 1e+16.
std::string float_text(double value);

// As Python's json.dumps(value, ensure_ascii=False, indent=indent) writes it. Throws Fault for what JSON has not.
Text to_json_text(const Value& value, std::optional<int64_t> indent = std::nullopt);

}  // namespace danlu::infer::jinja
