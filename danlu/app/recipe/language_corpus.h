// The text of a recipe: read, cleaned and divided into training, validation and test parts. It is read anew for each use,
// never held whole.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "danlu/app/recipe/recipe.h"
#include "danlu/base/hash.h"
#include "danlu/base/json.h"
#include "danlu/data/dataset/split.h"

namespace danlu::app {

class LanguageCorpus {
 public:
  // Reads everything once. Throws as TextSource does, and DataError if nothing is left after cleaning.
  explicit LanguageCorpus(const DataSection& options);

  int64_t documents() const { return documents_; }
  int64_t bytes() const { return bytes_; }          // after cleaning
  const Hash128& content_hash() const { return hash_; }
  // "document" or "position", and why.
  const std::string& split_by() const { return split_by_; }
  const std::string& reason() const { return reason_; }
  const Json& report() const { return report_; }     // what cleaning did
  const std::string& report_text() const { return report_text_; }

  // The documents of a part in order, in pieces: `last` ends one. Throws DataError if the data have changed since they were
  // first read.
  using OnPiece = std::function<void(std::string_view text, bool last)>;
  void read(data::Part part, const OnPiece& on_piece) const;

 private:
  std::pair<int64_t, int64_t> range_of(data::Part part) const;  // bytes [begin, end), where split_by is position

  DataSection options_;
  int64_t documents_ = 0, bytes_ = 0;
  Hash128 hash_;
  std::string split_by_, reason_;
  std::vector<data::Part> parts_;  // of each document, where split_by is document
  Json report_;
  std::string report_text_;
};

}  // namespace danlu::app
