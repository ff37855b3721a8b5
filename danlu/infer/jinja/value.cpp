#include "danlu/infer/jinja/value.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/format.h"
#include "danlu/infer/jinja/fault.h"

namespace danlu::infer::jinja {

const Value* Dict::find(std::string_view key) const {
  for (const auto& [name, value] : entries_) {
    if (name.bytes() == key) return &value;
  }
  return nullptr;
}

void Dict::set(const Text& key, Value value) {
  for (auto& [name, old] : entries_) {
    if (name == key) {
      old = std::move(value);
      return;
    }
  }
  append(key, std::move(value));
}

void Dict::append(Text key, Value value) { entries_.emplace_back(std::move(key), std::move(value)); }

int Value::depth_around(const Value& value, int depth) {
  if (value.attributes()) throw Fault("a namespace cannot be put into a list, a dict or another namespace");
  depth = std::max(depth, value.depth() + 1);
  if (depth > kMaxDepth) throw Fault(fmt::format("lists and dicts are nested more than {} deep", kMaxDepth));
  return depth;
}

Value::Value(List list) {
  int depth = 1;
  for (const Value& value : list) depth = depth_around(value, depth);
  data_ = std::make_shared<const Nested>(Nested{std::move(list), depth});
}

Value::Value(Dict dict) {
  int depth = 1;
  for (const auto& [key, value] : dict.entries()) depth = depth_around(value, depth);
  data_ = std::make_shared<const Nested>(Nested{std::move(dict), depth});
}

Value Value::from_json(const Json& json, Text::Origin origin) {
  switch (json.type()) {
    case Json::value_t::null:
      return None{};
    case Json::value_t::boolean:
      return json.get<bool>();
    case Json::value_t::number_integer:
      return json.get<int64_t>();
    case Json::value_t::number_unsigned:
      if (json.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) return json.get<double>();
      return json.get<int64_t>();
    case Json::value_t::number_float:
      return json.get<double>();
    case Json::value_t::string:
      return Text(json.get_ref<const std::string&>(), origin);
    case Json::value_t::array: {
      List list;
      list.reserve(json.size());
      for (const Json& element : json) list.push_back(from_json(element, origin));
      return list;
    }
    case Json::value_t::object: {
      Dict dict;
      for (const auto& [key, element] : json.items()) dict.append(Text(key, origin), from_json(element, origin));
      return dict;
    }
    default:
      return Undefined{};
  }
}

const Text* Value::text() const {
  const auto* text = std::get_if<std::shared_ptr<const Text>>(&data_);
  return text ? text->get() : nullptr;
}
const List* Value::list() const {
  const auto* nested = std::get_if<std::shared_ptr<const Nested>>(&data_);
  return nested ? std::get_if<List>(&(*nested)->items) : nullptr;
}
const Dict* Value::dict() const {
  const auto* nested = std::get_if<std::shared_ptr<const Nested>>(&data_);
  return nested ? std::get_if<Dict>(&(*nested)->items) : nullptr;
}
Namespace* Value::attributes() const {
  const auto* attributes = std::get_if<std::shared_ptr<Namespace>>(&data_);
  return attributes ? attributes->get() : nullptr;
}
const Macro* Value::macro() const {
  const auto* macro = std::get_if<const Macro*>(&data_);
  return macro ? *macro : nullptr;
}
int Value::depth() const {
  const auto* nested = std::get_if<std::shared_ptr<const Nested>>(&data_);
  return nested ? (*nested)->depth : 0;
}

std::optional<int64_t> Value::integer() const {
  if (is_bool()) return std::get<bool>(data_);
  if (is_int()) return std::get<int64_t>(data_);
  return std::nullopt;
}

double Value::number() const {
  if (const auto whole = integer()) return static_cast<double>(*whole);
  return is_float() ? std::get<double>(data_) : 0;
}

bool Value::truth() const {
  if (is_undefined() || is_none()) return false;
  if (is_number()) return number() != 0;
  if (text()) return !text()->empty();
  if (list()) return !list()->empty();
  if (dict()) return !dict()->entries().empty();
  return true;
}

std::string Value::describe() const {
  if (const auto* undefined = std::get_if<Undefined>(&data_)) {
    return undefined->name.empty() ? "an undefined value" : fmt::format("the undefined value '{}'", undefined->name);
  }
  if (is_none()) return "none";
  if (is_bool()) return "a boolean";
  if (is_int()) return "an integer";
  if (is_float()) return "a float";
  if (text()) return "a string";
  if (list()) return "a list";
  if (dict()) return "a dict";
  return attributes() ? "a namespace" : "a function";
}

Text Value::to_text() const {
  if (is_undefined()) return {};
  if (is_none()) return "None";
  if (is_bool()) return std::get<bool>(data_) ? "True" : "False";
  if (is_int()) return Text(std::to_string(std::get<int64_t>(data_)));
  if (is_float()) return Text(float_text(std::get<double>(data_)));
  if (text()) return *text();
  throw Fault(fmt::format("{} has no text of its own; a template can use tojson or join", describe()));
}

bool operator==(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    const auto x = a.integer(), y = b.integer();
    return x && y ? *x == *y : a.number() == b.number();
  }
  if (a.text() && b.text()) return *a.text() == *b.text();
  if (a.list() && b.list()) return *a.list() == *b.list();
  if (a.dict() && b.dict()) {
    const auto &x = a.dict()->entries(), &y = b.dict()->entries();
    return x.size() == y.size() && std::all_of(x.begin(), x.end(), [&](const auto& entry) {
             const Value* other = b.dict()->find(entry.first.bytes());
             return other && entry.second == *other;
           });
  }
  if (a.attributes() || b.attributes()) return a.attributes() == b.attributes();
  if (a.macro() || b.macro()) return a.macro() == b.macro();
  return (a.is_none() && b.is_none()) || (a.is_undefined() && b.is_undefined());
}

bool less(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    const auto x = a.integer(), y = b.integer();
    return x && y ? *x < *y : a.number() < b.number();
  }
  if (a.text() && b.text())
    return a.text()->bytes() < b.text()->bytes();  // in UTF-8 the order of bytes is that of characters
  throw Fault(fmt::format("cannot compare {} with {}", a.describe(), b.describe()));
}

std::string float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

namespace {

class JsonWriter {
 public:
  explicit JsonWriter(std::optional<int64_t> indent) : indent_(indent) {}

  void write(const Value& value) {
    if (value.is_none()) {
      out_ += "null";
    } else if (value.is_bool()) {
      out_ += value.truth() ? "true" : "false";
    } else if (value.is_float() && !std::isfinite(value.number())) {
      out_ += std::isnan(value.number()) ? "NaN" : value.number() > 0 ? "Infinity" : "-Infinity";
    } else if (value.is_number()) {
      out_ += value.to_text();
    } else if (value.text()) {
      write_string(*value.text());
    } else if (const List* list = value.list()) {
      write_items("[", "]", list->size(), [&](size_t i) { write((*list)[i]); });
    } else if (const Dict* dict = value.dict()) {
      write_items("{", "}", dict->entries().size(), [&](size_t i) {
        write_string(dict->entries()[i].first);
        out_ += ": ";
        write(dict->entries()[i].second);
      });
    } else {
      throw Fault(fmt::format("tojson got {}, which JSON cannot say", value.describe()));
    }
  }
  Text take() { return std::move(out_); }

 private:
  void write_items(const char* open, const char* close, size_t count, const auto& write_item) {
    out_ += open;
    ++level_;
    for (size_t i = 0; i < count; ++i) {
      if (i > 0) out_ += indent_ ? "," : ", ";
      break_line();
      write_item(i);
    }
    --level_;
    if (count > 0) break_line();
    out_ += close;
  }

  void break_line() {
    if (indent_) out_ += Text("\n" + std::string(static_cast<size_t>(std::max<int64_t>(0, *indent_) * level_), ' '));
  }

  void write_string(const Text& text) {
    out_ += "\"";
    size_t begin = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const char c = text.bytes()[i];
      if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
      out_ += text.substr(begin, i);
      out_ += Text(escape(c), text.origin(i));
      begin = i + 1;
    }
    out_ += text.substr(begin);
    out_ += "\"";
  }

  static std::string escape(char c) {
    switch (c) {
      case '"':
        return "\\\"";
      case '\\':
        return "\\\\";
      case '\n':
        return "\\n";
      case '\r':
        return "\\r";
      case '\t':
        return "\\t";
      case '\b':
        return "\\b";
      case '\f':
        return "\\f";
      default:
        return fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    }
  }

  const std::optional<int64_t> indent_;
  int64_t level_ = 0;
  Text out_;
};

}  // namespace

Text to_json_text(const Value& value, std::optional<int64_t> indent) {
  JsonWriter writer(indent);
  writer.write(value);
  return writer.take();
}

}  // namespace danlu::infer::jinja
