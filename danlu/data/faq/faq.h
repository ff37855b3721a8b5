// Frequently asked questions: entries, each an answer and the questions that it answers.
//
//   question,answer,url
//   How do I cancel an order?,Open your orders and choose Cancel.,https://shop.example/help#cancel
//   cancelling,Open your orders and choose Cancel.,https://shop.example/help#cancel
//
// A row is a question. Rows of one answer are one entry: other words for the same thing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/base/hash.h"
#include "danlu/base/json.h"
#include "danlu/base/options.h"
#include "danlu/data/table/table.h"

namespace danlu::data {

struct FaqOptions {
  std::string question = "question";
  std::string answer = "answer";
  std::string url = "url";
  std::vector<std::string> off_topic;
  std::string on_bad_row = "error";
  void describe(OptionVisitor& v);
};

struct FaqEntry {
  std::string id;                      // "1": the first of the table
  std::vector<std::string> questions;  // at least one
  std::string answer;
  std::string url;  // where it stands; may be empty
};

class Faq {
 public:
  Faq() = default;
  // Throws DataError for no entries, one without question or answer, and an id that comes twice.
  explicit Faq(std::vector<FaqEntry> entries);
  // Throws DataError naming `source` and what is wrong.
  static Faq from_json(const Json& json, const std::string& source);
  Json to_json() const;

  const std::vector<FaqEntry>& entries() const { return entries_; }
  int64_t size() const { return static_cast<int64_t>(entries_.size()); }
  int64_t num_questions() const;
  Hash128 hash() const;

 private:
  std::vector<FaqEntry> entries_;
};

struct FaqTable {
  Faq faq;
  int64_t rows = 0;
  int64_t bad_rows = 0;       // left out: without question or answer, or with a question that an earlier row answers otherwise
  int64_t repeated_rows = 0;  // left out: question and answer are those of an earlier row
};

// Throws DataError naming the line for a row without question or answer, and for a question that an earlier row answers otherwise, unless
// those are to be dropped; for a column that is not there (that of urls may be absent); if nothing is left. Space around texts does not
// count, nor does the case of questions.
FaqTable read_faq(const Table& table, const FaqOptions& options);

// The questions of a table, each once, whatever answers may stand beside them; rows without one are passed over.
std::vector<std::string> read_questions(const Table& table, const FaqOptions& options);

// An answer in pieces that are each about one thing: its paragraphs, short neighbours joined and long ones divided between sentences or
// words, so that each has about `bytes` bytes. An answer that is not empty has at least one.
std::vector<std::string> passages_of(std::string_view answer, size_t bytes = 250);

}  // namespace danlu::data
