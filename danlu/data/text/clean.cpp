#include "danlu/data/text/clean.h"

#include <algorithm>
#include <utility>

#include "danlu/base/format.h"
#include "danlu/data/text/normalizer.h"
#include "danlu/data/text/text_edits.h"

namespace danlu::data {
namespace {

int64_t characters_of(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80 && c != ' ' && !(c >= '\t' && c <= '\r');
  });
}

void count(std::vector<std::pair<std::string, int64_t>>& counts, std::string_view name) {
  for (auto& [known, number] : counts) {
    if (known == name) {
      ++number;
      return;
    }
  }
  counts.emplace_back(name, 1);
}

}  // namespace

void CleanOptions::describe(OptionVisitor& v) {
  v.field("html", html, "remove tags and scripts, turn entities into characters");
  v.field("control_characters", control_characters, "remove control characters and colours, make line ends line feeds");
  v.field("control_tokens", control_tokens, "remove left-over control tokens, <|...|>");
  v.choice("normalize", normalize, {"nfc", "nfkc", "none"}, "form of Unicode that texts are brought into");
  v.field("min_characters", min_characters, {0, 1e12}, "characters but white space that a document has at least");
  v.field("duplicates", duplicates, "drop documents whose text was seen before");
  v.field("quality", quality, "drop documents that do not read like prose");
  v.group("quality_rules", quality_rules, "with quality");
}

Json CleanReport::to_json() const {
  Json json{{"documents", documents}, {"kept", kept}, {"bytes_before", bytes_before}, {"bytes_after", bytes_after}};
  json["changed"] = Json::object();
  json["dropped"] = Json::object();
  for (const auto& [name, number] : changed) json["changed"][name] = number;
  for (const auto& [name, number] : dropped) json["dropped"][name] = number;
  return json;
}

std::string CleanReport::text() const {
  std::string lines = fmt::format("documents: {} seen, {} kept; bytes: {} before, {} after\n", documents, kept,
                                  bytes_before, bytes_after);
  for (const auto& [name, number] : changed) lines += fmt::format("changed by {}: {}\n", name, number);
  for (const auto& [name, number] : dropped) lines += fmt::format("dropped by {}: {}\n", name, number);
  return lines;
}

TextCleaner::TextCleaner(const CleanOptions& options)
    : options_(options), form_(normalizer_named(options.normalize)) {
  if (options_.html) report_.changed.emplace_back("html", 0);
  if (options_.control_characters) report_.changed.emplace_back("control_characters", 0);
  if (options_.control_tokens) report_.changed.emplace_back("control_tokens", 0);
  if (form_ != Normalizer::none) report_.changed.emplace_back("normalize", 0);
  if (options_.min_characters > 0) report_.dropped.emplace_back("min_characters", 0);
  if (options_.duplicates) report_.dropped.emplace_back("duplicates", 0);
}

bool TextCleaner::clean(Document& document) {
  report_.documents += document.last;
  report_.bytes_before += std::ssize(document.text);
  edit(document.text);
  if (document.first && document.last) {
    if (const char* rule = against(document.text)) {
      count(report_.dropped, rule);
      return false;
    }
  }
  report_.kept += document.last;
  report_.bytes_after += std::ssize(document.text);
  return true;
}

void TextCleaner::edit(std::string& text) {
  const auto step = [&](const char* name, std::string edited) {
    if (edited == text) return;
    count(report_.changed, name);
    text = std::move(edited);
  };
  if (options_.html) step("html", without_html(text));
  if (options_.control_characters) step("control_characters", without_control_characters(text));
  if (options_.control_tokens) step("control_tokens", without_control_tokens(text));
  if (form_ != Normalizer::none) step("normalize", data::normalize(text, form_));
}

const char* TextCleaner::against(const std::string& text) {
  if (characters_of(text) < options_.min_characters) return "min_characters";
  if (options_.quality) {
    if (const char* rule = failed_rule(measure_quality(text), options_.quality_rules)) return rule;
  }
  if (options_.duplicates && !seen_.insert(hash_text(text)).second) return "duplicates";
  return nullptr;
}

}  // namespace danlu::data
