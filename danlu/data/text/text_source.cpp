#include "danlu/data/text/text_source.h"

#include <algorithm>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.text";
constexpr const char* kSpaces = " \t\r\n\v\f";
constexpr size_t kMaxJsonLine = size_t{256} << 20;

InvalidUtf8 invalid_policy(const std::string& word) {
  return word == "error" ? InvalidUtf8::error : word == "keep" ? InvalidUtf8::keep : InvalidUtf8::replace;
}

bool holds_json_lines(const fs::path& path) {
  const fs::path extension = path.extension() == ".gz" ? path.stem().extension() : path.extension();
  return extension == ".jsonl" || extension == ".ndjson";
}

bool is_blank(std::string_view text) { return text.find_first_not_of(kSpaces) == std::string_view::npos; }

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

void TextSourceOptions::describe(OptionVisitor& v) {
  v.choice("documents", documents, {"file", "line", "blank_line", "separator"},
           "what a document of a .txt file is: the file, a line, or what stands between blank lines or separators");
  v.field("separator", separator, "the line that stands between documents, with documents: separator");
  v.field("field", field, "the key of the text in the lines of a .jsonl file");
  v.choice("invalid_utf8", invalid_utf8, {"replace", "error", "keep"},
           "what becomes of bytes that are not UTF-8: U+FFFD, an error, or nothing");
  v.field("piece_bytes", piece_bytes, {1 << 10, 1 << 28}, "larger documents are read in pieces of this size");
}

TextSource::TextSource(const std::vector<std::string>& names, const TextSourceOptions& options)
    : options_(options), invalid_(invalid_policy(options.invalid_utf8)), files_(find_text_files(names)) {
  if (options_.piece_bytes < 1) {
    throw ConfigError(kWhere, fmt::format("got piece_bytes {}; expected at least 1", options_.piece_bytes));
  }
}

TextSource::~TextSource() = default;

void TextSource::rewind() {
  lines_.reset();
  held_.clear();
  held_ends_ = in_document_ = false;
  file_ = 0;
  documents_ = bytes_ = replaced_ = 0;
}

int64_t TextSource::replaced() const { return replaced_ + (lines_ != nullptr ? lines_->replaced() : 0); }

bool TextSource::open_next() {
  if (lines_ != nullptr) {
    replaced_ += lines_->replaced();
    lines_.reset();
    ++file_;
  }
  if (file_ == files_.size()) return false;
  json_lines_ = holds_json_lines(files_[file_]);
  const size_t max_line = json_lines_ ? kMaxJsonLine : static_cast<size_t>(options_.piece_bytes);
  lines_ = std::make_unique<LineReader>(files_[file_], invalid_, max_line);
  return true;
}

bool TextSource::next(Document& document) {
  while (lines_ != nullptr || open_next()) {
    if (json_lines_ ? next_of_json_lines(document) : next_of_text(document)) {
      documents_ += document.last;
      bytes_ += std::ssize(document.text);
      return true;
    }
    if (!open_next()) break;
  }
  return false;
}

// Whether the document ends with this line, and whether the line is part of it.
bool TextSource::ends_document(std::string_view line, bool& belongs) const {
  if (options_.documents == "line") return !lines_->in_parts();
  belongs = false;
  if (options_.documents == "blank_line" && is_blank(line)) return true;
  if (options_.documents == "separator" && without_line_end(line) == options_.separator) return true;
  belongs = true;
  return false;
}

bool TextSource::next_of_text(Document& document) {
  document.text.clear();
  document.first = !in_document_;
  document.last = true;
  bool ends = false;
  if (!held_.empty()) {
    document.text.swap(held_);
    document.place = lines_->place();
    ends = std::exchange(held_ends_, false);
  }
  std::string_view line;
  while (!ends && lines_->next(line)) {
    bool belongs = true;
    ends = ends_document(line, belongs);
    if (document.text.empty()) document.place = lines_->place();
    if (belongs && !document.text.empty() && std::ssize(document.text) + std::ssize(line) > options_.piece_bytes) {
      held_ = line;
      held_ends_ = ends;
      document.last = false;
      in_document_ = true;
      return true;
    }
    if (belongs) document.text.append(line);
    if (ends && !in_document_ && is_blank(document.text)) {
      document.text.clear();
      ends = false;
    }
  }
  if (options_.documents != "file") document.text.resize(without_line_end(document.text).size());
  return std::exchange(in_document_, false) || !is_blank(document.text);
}

bool TextSource::next_of_json_lines(Document& document) {
  std::string_view line;
  while (lines_->next(line)) {
    if (lines_->in_parts()) {
      throw DataError(kWhere, fmt::format("{}: got a line of more than {} MiB; expected a JSON object a line",
                                          lines_->place(), kMaxJsonLine >> 20));
    }
    if (is_blank(line)) continue;
    document.text = text_of_json(line);
    document.place = lines_->place();
    document.first = document.last = true;
    if (!is_blank(document.text)) return true;
  }
  return false;
}

std::string TextSource::text_of_json(std::string_view line) const {
  const std::string place = lines_->place();
  Json object;
  try {
    object = parse_json(line, place);
  } catch (const DataError& error) {
    // The line of the file, not of the text parsed, which is one line.
    std::string message = error.message();
    if (message.starts_with(place + ":1:")) message.erase(place.size(), 2);
    throw DataError(kWhere, message + "; expected a JSON object a line");
  }
  if (!object.is_object()) {
    throw DataError(kWhere, fmt::format("{}: got a JSON {}; expected an object with \"{}\"", place, object.type_name(),
                                        options_.field));
  }
  const auto found = object.find(options_.field);
  if (found == object.end()) {
    std::vector<std::string> keys;
    for (const auto& [key, unused] : object.items()) keys.push_back(key);
    std::string hint = did_you_mean(options_.field, keys);
    if (hint.empty()) hint = keys.empty() ? "" : fmt::format("; known here: {}", fmt::join(keys, ", "));
    throw DataError(kWhere, fmt::format("{}: got no \"{}\"{}", place, options_.field, hint));
  }
  if (!found->is_string()) {
    throw DataError(kWhere, fmt::format("{}: \"{}\": got a {}; expected text", place, options_.field,
                                        found->type_name()));
  }
  return found->get<std::string>();
}

}  // namespace danlu::data
