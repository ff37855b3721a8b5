#include "danlu/app/recipe/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <set>
#include <sstream>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/utf8.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.recipe";
constexpr size_t kMaxBytes = size_t{1} << 20;
constexpr int kMaxDepth = 64;

std::string join(const std::string& path, const std::string& key) { return path.empty() ? key : path + "." + key; }

[[noreturn]] void fail_at(const std::string& source, const YAML::Mark& mark, const std::string& message) {
  throw ConfigError(kWhere, fmt::format("{}:{}:{}: {}", source, mark.line + 1, mark.column + 1, message));
}

// The value of an unquoted scalar.
Json typed(const std::string& text) {
  if (text.empty() || text == "null" || text == "~") return nullptr;
  if (text == "true" || text == "false") return text == "true";
  const char* end = text.data() + text.size();
  const char* digits = text.front() == '+' ? text.data() + 1 : text.data();
  int64_t whole = 0;
  if (const auto r = std::from_chars(digits, end, whole); r.ec == std::errc() && r.ptr == end) return whole;
  const bool numeric = std::string_view("+-.0123456789").find(text.front()) != std::string_view::npos;
  double real = 0;
  const auto r = std::from_chars(digits, end, real);
  if (numeric && r.ec == std::errc() && r.ptr == end && std::isfinite(real)) return real;
  return text;
}

// Hears the parser's events before anything is built, and stops at what would be costly or ambiguous to build.
class Screen : public YAML::EventHandler {
 public:
  explicit Screen(const std::string& source) : source_(source) {}
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) fail_at(source_, mark, "got a second document (---); expected one");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fail_at(source_, mark, "got an alias (*name); expected the value itself");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string&) override {
    refuse_tag(mark, tag);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    enter(mark, tag);
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    enter(mark, tag);
  }
  void OnMapEnd() override { --depth_; }

 private:
  // The parser gives plain nodes the tag "?" and quoted scalars "!".
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.size() > 1) fail_at(source_, mark, fmt::format("got the tag {}; expected a plain or quoted value", tag));
  }
  void enter(const YAML::Mark& mark, const std::string& tag) {
    refuse_tag(mark, tag);
    if (++depth_ > kMaxDepth) fail_at(source_, mark, fmt::format("got more than {} levels", kMaxDepth));
  }
  const std::string& source_;
  int depth_ = 0, documents_ = 0;
};

// Turns nodes into JSON and notes where each key stands.
class Reader {
 public:
  explicit Reader(YamlDocument& document) : document_(document) {}

  Json read(const YAML::Node& node, const std::string& path) {
    if (!path.empty()) document_.lines.emplace(path, node.Mark().line + 1);
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return node.Tag() == "!" ? Json(node.Scalar()) : typed(node.Scalar());
      case YAML::NodeType::Sequence:
        return read_list(node, path);
      case YAML::NodeType::Map:
        return read_map(node, path);
      default:
        return nullptr;
    }
  }

 private:
  Json read_list(const YAML::Node& node, const std::string& path) {
    Json list = Json::array();
    for (size_t i = 0; i < node.size(); ++i) list.push_back(read(node[i], fmt::format("{}[{}]", path, i)));
    return list;
  }

  Json read_map(const YAML::Node& node, const std::string& path) {
    Json object = Json::object();
    for (const auto& item : node) {
      const YAML::Mark mark = item.first.Mark();
      if (!item.first.IsScalar()) fail_at(document_.source, mark, "got a key that is not a word");
      const std::string key = item.first.Scalar();
      const std::string key_path = join(path, key);
      if (object.contains(key)) fail_at(document_.source, mark, fmt::format("key \"{}\" is given twice", key_path));
      document_.lines[key_path] = mark.line + 1;
      object[key] = read(item.second, key_path);
    }
    return object;
  }

  YamlDocument& document_;
};

void screen(const std::string& text, const std::string& source) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Screen events(source);
  while (parser.HandleNextDocument(events)) {
  }
}

// Also for words that other readers of YAML take for booleans or null.
bool needs_quotes(const std::string& text) {
  static const std::set<std::string> kTaken = {"NULL", "Null", "True", "TRUE", "False", "FALSE", "yes", "Yes", "YES",
                                               "no",   "No",   "NO",   "on",   "On",    "ON",    "off", "Off", "OFF"};
  if (!typed(text).is_string() || kTaken.contains(text)) return true;
  if (text.front() == ' ' || text.back() == ' ' ||
      std::string_view("-?!|>'%@`&*<=").find(text.front()) != std::string_view::npos) {
    return true;
  }
  return text.find_first_of("\n\t\r:#\"\\,[]{}") != std::string::npos;
}

std::string scalar(const Json& value) {
  if (!value.is_string()) return to_line(value);
  const std::string text = value.get<std::string>();
  return needs_quotes(text) ? to_line(value) : text;  // a JSON string is a double-quoted YAML one
}

// A value on one line, as YAML's flow style.
std::string flow(const Json& value) {
  std::string text;
  if (value.is_array()) {
    for (const Json& item : value) text += (text.empty() ? "" : ", ") + flow(item);
    return "[" + text + "]";
  }
  if (value.is_object()) {
    for (const auto& [key, item] : value.items())
      text += (text.empty() ? "" : ", ") + scalar(Json(key)) + ": " + flow(item);
    return "{" + text + "}";
  }
  return scalar(value);
}

bool holds_groups(const Json& list) {
  for (const Json& item : list) {
    if (item.is_structured()) return true;
  }
  return false;
}

class Writer {
 public:
  explicit Writer(const std::map<std::string, std::string>& comments) : comments_(comments) {}

  std::string text;

  void write(const Json& object, const std::string& path, const std::string& margin) {
    for (const auto& [key, value] : object.items()) {
      const std::string key_path = join(path, key);
      write_comment(key_path, margin);
      text += margin + scalar(Json(key)) + ":";
      if (value.is_object() && !value.empty()) {
        text += "\n";
        write(value, key_path, margin + "  ");
      } else if (value.is_array() && holds_groups(value)) {
        text += "\n";
        for (const Json& item : value) text += margin + "  - " + flow(item) + "\n";
      } else {
        text += " " + flow(value) + "\n";
      }
    }
  }

 private:
  void write_comment(const std::string& key_path, const std::string& margin) {
    const auto comment = comments_.find(key_path);
    if (comment == comments_.end()) return;
    std::istringstream lines(comment->second);
    for (std::string line; std::getline(lines, line);) text += margin + "# " + line + "\n";
  }
  const std::map<std::string, std::string>& comments_;
};

}  // namespace

Locate YamlDocument::locate() const {
  return [this](std::string_view key_path) -> std::string {
    std::string path(key_path);
    for (;;) {
      const auto found = lines.find(path);
      if (found != lines.end()) return fmt::format("{}:{}", source, found->second);
      const size_t cut = path.find_last_of(".[");
      if (cut == std::string::npos) return source;
      path.resize(cut);
    }
  };
}

YamlDocument parse_yaml(std::string_view text, const std::string& source) {
  if (text.size() > kMaxBytes) {
    throw ConfigError(kWhere, fmt::format("{}: got {} bytes; expected at most {}", source, text.size(), kMaxBytes));
  }
  if (const size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    throw ConfigError(kWhere, fmt::format("{}: byte {} is not UTF-8; expected text", source, bad));
  }
  YamlDocument document;
  document.source = source;
  try {
    const std::string copy(text);
    screen(copy, source);
    const YAML::Node root = YAML::Load(copy);
    document.json = root.IsDefined() && !root.IsNull() ? Reader(document).read(root, "") : Json::object();
  } catch (const YAML::Exception& error) {
    fail_at(source, error.mark, error.msg);
  }
  if (!document.json.is_object()) {
    throw ConfigError(kWhere, fmt::format("{}: got {}; expected keys like \"data:\" and \"model:\"", source,
                                          to_line(document.json).substr(0, 40)));
  }
  return document;
}

Json parse_yaml_value(const std::string& text, const std::string& origin) {
  Json json = parse_yaml("value: " + text, origin).json;
  if (json.size() != 1) throw ConfigError(kWhere, fmt::format("{}: got \"{}\"; expected one value", origin, text));
  return std::move(json["value"]);
}

std::string to_yaml(const Json& json, const std::map<std::string, std::string>& comments) {
  Writer writer(comments);
  writer.write(json, "", "");
  return writer.text;
}

}  // namespace danlu::app
