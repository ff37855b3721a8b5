// A column of text, and what to say of each: classes or numbers.
#include <algorithm>

#include "danlu/app/recipe/labelled_table.h"
#include "danlu/app/recipe/transfer_source.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/text_dataset.h"
#include "danlu/data/table/values.h"
#include "danlu/data/text/bpe_trainer.h"
#include "danlu/data/text/character_vocabulary.h"
#include "danlu/data/text/text_preprocess.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.data";
constexpr int64_t kLengthStep = 16, kMostLength = 512;
constexpr double kCovered = 0.98;  // of the texts are not cut off

class TextSource : public LabelledTable {
 public:
  TextSource(const DataSection& options, const TokenizerSection& tokenizer) : LabelledTable(options), tokenizer_(tokenizer), column_(find_column()) {}

  infer::InputKind kind() const override { return infer::InputKind::text; }

  FittedData fit(std::span<const int64_t> training) const override {
    data::Tokenizer tokenizer = make_tokenizer(training);
    const int64_t length = options_.text.length > 0 ? options_.text.length : length_for(tokenizer, training);
    const data::TextPreprocess preprocess(column_name(), length, std::move(tokenizer), data::fit_target(table_, training, schema_, options_.table));
    const std::vector<int64_t> all = data::all_rows(table_);
    FittedData fitted;
    fitted.task = preprocess.target().task();
    fitted.class_names = names_of(preprocess.target().class_names());
    fitted.heads = heads_of(preprocess.target());
    fitted.input_shape = Shape{preprocess.length()};
    fitted.vocabulary = preprocess.vocab_size();
    fitted.preprocess = preprocess.to_json();
    fitted.reasons = fmt::format("text \"{}\": {} tokens and padding; texts are cut off after {}\n", column_name(), preprocess.vocab_size() - 1, length);
    fitted.training_samples.assign(training.begin(), training.end());
    std::vector<std::vector<int64_t>> texts;
    for (const int64_t row : all) texts.push_back(preprocess.encode(text(row)));
    fitted.dataset = std::make_unique<data::TextDataset>(std::move(texts), preprocess.target().labels(table_, all), options_.text.token_dropout);
    return fitted;
  }

 private:
  data::TargetEncoder target_of(const Json& preprocess) const override { return data::TextPreprocess::from_json(preprocess, "preprocess.json").target(); }

  // The one that is named, or the one with the longest texts.
  int64_t find_column() const {
    const std::vector<std::string> targets = options_.table.target_columns();
    const auto is_target = [&](const std::string& name) { return std::find(targets.begin(), targets.end(), name) != targets.end(); };
    if (is_target(options_.text.column)) {
      throw ConfigError(kWhere, fmt::format("data.text.column: got {}, which is the target; expected the column that it is to be told from", options_.text.column));
    }
    if (!options_.text.column.empty()) return table_.column_index(options_.text.column);
    int64_t longest = -1;
    size_t most = 0;
    for (int64_t column = 0; column < table_.num_columns(); ++column) {
      if (is_target(table_.column(column).name)) continue;
      size_t bytes = 0;
      for (const data::Cell& cell : table_.column(column).cells) bytes += data::is_missing(cell) ? 0 : std::string_view(cell).size();
      if (longest < 0 || bytes > most) longest = column, most = bytes;
    }
    if (longest < 0) throw DataError(kWhere, fmt::format("{}: got no column besides the target; expected one of text", options_.source));
    return longest;
  }
  const std::string& column_name() const { return table_.column(column_).name; }

  std::string_view text(int64_t row) const {
    const data::Cell cell = table_.cell(row, column_);
    return data::is_missing(cell) ? std::string_view() : std::string_view(cell);
  }

  data::Tokenizer make_tokenizer(std::span<const int64_t> training) const {
    if (!tokenizer_.file.empty()) return load_tokenizer(expand_path(tokenizer_.file));
    if (tokenizer_.type == "character") {
      data::CharacterVocabulary characters;
      for (const int64_t row : training) characters.add(text(row));
      return data::Tokenizer(characters.model({.min_frequency = tokenizer_.min_frequency, .special_tokens = {}}));
    }
    data::BpeTrainer trainer({.vocab_size = tokenizer_.vocab_size, .min_frequency = tokenizer_.min_frequency, .pattern = tokenizer_.pattern, .special_tokens = {}});
    for (const int64_t row : training) trainer.add(text(row));
    return data::Tokenizer(trainer.train());
  }

  int64_t length_for(const data::Tokenizer& tokenizer, std::span<const int64_t> training) const {
    std::vector<int64_t> lengths;
    for (const int64_t row : training) lengths.push_back(static_cast<int64_t>(tokenizer.encode(text(row)).size()));
    if (lengths.empty()) return kLengthStep;
    const auto at = lengths.begin() + static_cast<std::ptrdiff_t>(kCovered * static_cast<double>(lengths.size() - 1));
    std::nth_element(lengths.begin(), at, lengths.end());
    return std::clamp((*at + kLengthStep - 1) / kLengthStep * kLengthStep, kLengthStep, kMostLength);
  }

  TokenizerSection tokenizer_;
  int64_t column_;
};

}  // namespace

std::unique_ptr<DataSource> open_texts(const DataSection& options, const TokenizerSection& tokenizer) {
  return std::make_unique<TextSource>(options, tokenizer);
}

}  // namespace danlu::app
