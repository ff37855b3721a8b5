#include "danlu/app/recipe/language_corpus.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/text/clean.h"
#include "danlu/data/text/text_source.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.language";
constexpr int64_t kEnoughDocuments = 50;  // to hold some out whole

// Cleaned documents of a source, piece by piece; the same ones at each reading.
class CleanText {
 public:
  explicit CleanText(const DataSection& options)
      : source_({options.source}, options.text.source), cleaner_(options.text.clean) {}

  bool next(data::Document& document) {
    while (source_.next(document)) {
      if (cleaner_.clean(document)) return true;
    }
    return false;
  }
  const data::TextSource& source() const { return source_; }
  const data::TextCleaner& cleaner() const { return cleaner_; }

 private:
  data::TextSource source_;
  data::TextCleaner cleaner_;
};

// A running hash of the pieces.
class PieceHash {
 public:
  void add(std::string_view text) {
    const Hash128 piece = hash_text(text);
    const uint64_t both[4] = {value_.low, value_.high, piece.low, piece.high};
    value_ = hash_bytes(both, sizeof(both));
  }
  const Hash128& value() const { return value_; }

 private:
  Hash128 value_;
};

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The part of `text`, which begins at byte `at` of the whole, that lies in [begin, end), cut between characters.
std::string_view part_within(std::string_view text, int64_t at, int64_t begin, int64_t end) {
  const auto size = static_cast<int64_t>(text.size());
  const auto cut = [&](int64_t where) {
    auto i = static_cast<size_t>(std::clamp<int64_t>(where - at, 0, size));
    while (i > 0 && i < text.size() && continues_character(text[i])) ++i;
    return i;
  };
  const size_t from = cut(begin), to = cut(end);
  return text.substr(from, to - from);
}

}  // namespace

LanguageCorpus::LanguageCorpus(const DataSection& options) : options_(options) {
  CleanText text(options);
  PieceHash hash;
  data::Document document;
  while (text.next(document)) {
    bytes_ += static_cast<int64_t>(document.text.size());
    documents_ += document.last;
    hash.add(document.text);
  }
  if (bytes_ == 0) {
    throw DataError(kWhere, fmt::format("data.source {}: got no text that cleaning leaves; expected some: see data.text", options.source));
  }
  hash_ = hash.value();
  split_by_ = options.text.split_by;
  const bool enough = documents_ >= kEnoughDocuments;
  if (split_by_ == "auto") {
    split_by_ = enough ? "document" : "position";
    reason_ = fmt::format("derived: {} {}", documents_, enough ? "documents are enough to hold some out whole" : "documents are too few to hold some out whole");
  }
  if (split_by_ == "document") {
    const data::Split split = data::split({.size = documents_}, options.split);
    parts_.assign(static_cast<size_t>(documents_), data::Part::train);
    for (const int64_t i : split.validation) parts_[static_cast<size_t>(i)] = data::Part::validation;
    for (const int64_t i : split.test) parts_[static_cast<size_t>(i)] = data::Part::test;
  }
  report_ = {{"files", text.source().files().size()}, {"documents", documents_}, {"bytes", bytes_},
             {"replaced_bytes", text.source().replaced()}, {"cleaning", text.cleaner().report().to_json()}};
  report_text_ = fmt::format("{} files, {} documents, {} bytes of text\n{}", text.source().files().size(), documents_, bytes_,
                             text.cleaner().report().text());
}

std::pair<int64_t, int64_t> LanguageCorpus::range_of(data::Part part) const {
  const auto at = [&](double fraction) { return static_cast<int64_t>(std::floor(fraction * static_cast<double>(bytes_))); };
  const int64_t validation = at(1 - options_.split.validation - options_.split.test), test = at(1 - options_.split.test);
  if (part == data::Part::train) return {0, validation};
  if (part == data::Part::validation) return {validation, test};
  return {test, bytes_};
}

void LanguageCorpus::read(data::Part part, const OnPiece& on_piece) const {
  CleanText text(options_);
  PieceHash hash;
  data::Document document;
  const auto [begin, end] = range_of(part);
  size_t number = 0;
  int64_t at = 0;
  while (text.next(document)) {
    hash.add(document.text);
    if (split_by_ == "document") {
      if (number < parts_.size() && parts_[number] == part) on_piece(document.text, document.last);
    } else {
      const std::string_view within = part_within(document.text, at, begin, end);
      const int64_t after = at + static_cast<int64_t>(document.text.size());
      if (!within.empty()) on_piece(within, document.last || after >= end);
    }
    at += static_cast<int64_t>(document.text.size());
    number += document.last;
  }
  if (hash.value() != hash_) {
    throw DataError(kWhere, fmt::format("data.source {}: has changed while it was read; begin again", options_.source));
  }
}

}  // namespace danlu::app
