#include "danlu/app/recipe/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
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

// The value of an unquoted scalar.
Json typed(const std::string& text) {
  if (text.empty() || text == "null" || text == "~") return nullptr;
  if (text == "true" || text == "false") return text == "true";
  const char* begin = text.data();
  const char* end = begin + text.size();
  const char* digits = *begin == '+' ? begin + 1 : begin;
  int64_t whole = 0;
  if (const auto r = std::from_chars(digits, end, whole); r.ec == std::errc() && r.ptr == end) return whole;
  const bool numeric = std::string_view("+-.0123456789").find(*begin) != std::string_view::npos;
  double real = 0;
  if (const auto r = std::from_chars(digits, end, real); numeric && r.ec == std::errc() && r.ptr == end && std::isfinite(real)) return real;
  return text;
}

// Builds the JSON value while the parser reports events, so that aliases are refused before they are expanded.
class Reader {
 public:
  explicit Reader(YamlDocument& document) : document_(document) {}

  Json read(const YAML::Node& node, const std::string& path, int depth) {
    if (depth > kMaxDepth) fail(node.Mark(), fmt::format("got more than {} levels", kMaxDepth));
    if (!path.empty()) document_.lines.emplace(path, node.Mark().line + 1);
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        // yaml-cpp marks quoted scalars with the tag "!".
        return node.Tag() == "!" ? Json(node.Scalar()) : typed(node.Scalar());
      case YAML::NodeType::Sequence: {
        Json list = Json::array();
        for (size_t i = 0; i < node.size(); ++i) list.push_back(read(node[i], fmt::format("{}[{}]", path, i), depth + 1));
        return list;
      }
      case YAML::NodeType::Map: {
        Json object = Json::object();
        for (const auto& item : node) {
          if (!item.first.IsScalar()) fail(item.first.Mark(), "got a key that is not a word");
          const std::string key = item.first.Scalar();
          const std::string key_path = join(path, key);
          if (object.contains(key)) fail(item.first.Mark(), fmt::format("key \"{}\" is given twice", key_path));
          document_.lines[key_path] = item.first.Mark().line + 1;
          object[key] = read(item.second, key_path, depth + 1);
        }
        return object;
      }
      default: return nullptr;
    }
  }

 private:
  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& message) const {
    throw ConfigError(kWhere, fmt::format("{}:{}:{}: {}", document_.source, mark.line + 1, mark.column + 1, message));
  }
  YamlDocument& document_;
};

// Finds an alias or too deep nesting without building anything.
class Screen : public YAML::EventHandler {
 public:
  explicit Screen(std::string source) : source_(std::move(source)) {}
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw ConfigError(kWhere, fmt::format("{}:{}:{}: got an alias (*name); expected the value itself", source_, mark.line + 1, mark.column + 1));
  }
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override { enter(mark); }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override { enter(mark); }
  void OnMapEnd() override { --depth_; }

 private:
  void enter(const YAML::Mark& mark) {
    if (++depth_ > kMaxDepth) {
      throw ConfigError(kWhere, fmt::format("{}:{}: got more than {} levels", source_, mark.line + 1, kMaxDepth));
    }
  }
  std::string source_;
  int depth_ = 0;
};

bool needs_quotes(const std::string& text) {
  if (!typed(text).is_string()) return true;
  if (text.front() == ' ' || text.back() == ' ' || std::string_view("-?:,[]{}#&*!|>'\"%@`").find(text.front()) != std::string_view::npos) return true;
  return text.find_first_of("\n\t\r:#\"\\,[]{}") != std::string::npos;
}

std::string scalar(const Json& value) {
  if (!value.is_string()) return to_line(value);
  const std::string text = value.get<std::string>();
  return needs_quotes(text) ? to_line(value) : text;  // a JSON string is a double-quoted YAML one
}

bool is_flat(const Json& list) {
  for (const Json& item : list) {
    if (item.is_structured()) return false;
  }
  return true;
}

std::string inline_list(const Json& list) {
  std::string text = "[";
  for (const Json& item : list) text += (text.size() > 1 ? ", " : "") + scalar(item);
  return text + "]";
}

void write(const Json& json, const std::string& path, int indent, const std::map<std::string, std::string>& comments, std::string& out) {
  const std::string margin(static_cast<size_t>(indent), ' ');
  for (const auto& [key, value] : json.items()) {
    const std::string key_path = join(path, key);
    if (const auto comment = comments.find(key_path); comment != comments.end()) out += margin + "# " + comment->second + "\n";
    out += margin + scalar(Json(key)) + ":";
    if (value.is_object() && !value.empty()) {
      out += "\n";
      write(value, key_path, indent + 2, comments, out);
    } else if (value.is_object()) {
      out += " {}\n";
    } else if (value.is_array() && is_flat(value)) {
      out += " " + inline_list(value) + "\n";
    } else if (value.is_array()) {
      out += "\n";
      for (const Json& item : value) out += margin + "  - " + (item.is_structured() ? to_line(item) : scalar(item)) + "\n";
    } else {
      out += " " + scalar(value) + "\n";
    }
  }
}

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
  if (text.size() > kMaxBytes) throw ConfigError(kWhere, fmt::format("{}: got {} bytes; expected at most {}", source, text.size(), kMaxBytes));
  if (const size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    throw ConfigError(kWhere, fmt::format("{}: byte {} is not UTF-8", source, bad));
  }
  YamlDocument document;
  document.source = source;
  try {
    std::istringstream screened{std::string(text)};
    YAML::Parser parser(screened);
    Screen screen(source);
    parser.HandleNextDocument(screen);
    const YAML::Node root = YAML::Load(std::string(text));
    document.json = root.IsDefined() && !root.IsNull() ? Reader(document).read(root, "", 0) : Json::object();
  } catch (const YAML::Exception& error) {
    throw ConfigError(kWhere, fmt::format("{}:{}:{}: {}", source, error.mark.line + 1, error.mark.column + 1, error.msg));
  }
  if (!document.json.is_object()) throw ConfigError(kWhere, fmt::format("{}: got {}; expected keys like \"data:\" and \"model:\"", source, to_line(document.json).substr(0, 40)));
  return document;
}

std::string to_yaml(const Json& json, const std::map<std::string, std::string>& comments) {
  std::string text;
  write(json, "", 0, comments, text);
  return text;
}

}  // namespace danlu::app
