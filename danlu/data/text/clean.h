// Cleaning of documents: edits that every text gets, then rules that decide whether it stays.
//
//   TextCleaner cleaner({.html = true});
//   while (source.next(document))
//     if (cleaner.clean(document)) use(document);
//   cleaner.report().text();                          // what was changed and what was dropped, rule by rule
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "danlu/base/hash.h"
#include "danlu/base/options.h"
#include "danlu/data/text/text_quality.h"
#include "danlu/data/text/text_source.h"
#include "danlu/data/text/tokenizer_model.h"

namespace danlu::data {

struct CleanOptions {
  bool html = false;
  bool control_characters = true;
  bool control_tokens = true;
  std::string normalize = "nfc";
  int64_t min_characters = 1;
  bool duplicates = true;
  bool quality = false;
  QualityOptions quality_rules = {};

  void describe(OptionVisitor& v);
};

struct CleanReport {
  int64_t documents = 0;  // seen
  int64_t kept = 0;
  int64_t bytes_before = 0, bytes_after = 0;  // of all, of those kept
  // Steps in the order in which they are done, each with the documents that it changed or dropped.
  std::vector<std::pair<std::string, int64_t>> changed, dropped;

  Json to_json() const;
  std::string text() const;  // a line a step
};

// Threads: one at a time. The hashes of duplicates take about 50 bytes a document.
class TextCleaner {
 public:
  // Throws ConfigError for an unknown normal form.
  explicit TextCleaner(const CleanOptions& options);

  // Edits the text; false if the document is to be dropped. The pieces of a document that comes in several are edited and
  // never dropped.
  bool clean(Document& document);
  const CleanReport& report() const { return report_; }

 private:
  void edit(std::string& text);
  // The name of the rule that the text is against; null if it is against none.
  const char* against(const std::string& text);

  CleanOptions options_;
  Normalizer form_;
  CleanReport report_;
  std::unordered_set<Hash128> seen_;
};

}  // namespace danlu::data
