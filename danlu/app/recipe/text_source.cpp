// A column of text, and what to say of each: classes or numbers; or, without labels, the tokens that are hidden.
#include <algorithm>

#include "danlu/app/recipe/labelled_table.h"
#include "danlu/app/recipe/transfer_source.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/masked_text_dataset.h"
#include "danlu/data/dataset/text_dataset.h"
#include "danlu/data/table/values.h"
#include "danlu/data/text/bpe_trainer.h"
#include "danlu/data/text/character_vocabulary.h"
#include "danlu/data/text/text_preprocess.h"
#include "danlu/learn/models/bag_of_ngrams.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.data";
constexpr int64_t kLengthStep = 16, kMostTokens = 512, kMostNgrams = 8192;
constexpr double kCovered = 0.98;  // of the texts are not cut off

class TextSource : public LabelledTable {
 public:
  TextSource(const DataSection& options, Labels labels, int64_t partners) : LabelledTable(options, labels, partners), labels_(labels), column_(find_column()) {
    if (labels == Labels::given) return;
    const int64_t content[] = {column_};
    for (const int64_t row : data::all_rows(table_)) text_hashes_.push_back(table_.row_hash(row, content));
  }

  // Without labels a sample is its text and nothing else of its row.
  std::span<const Hash128> hashes() const override { return labels_ == Labels::none ? text_hashes_ : LabelledTable::hashes(); }

  infer::InputKind kind() const override { return infer::InputKind::text; }

  FittedData fit(std::span<const int64_t> training) const override {
    Learnt learnt = learn(training);
    const int64_t length = options_.text.length > 0 ? options_.text.length : learnt.length;
    const data::TextPreprocess preprocess(column_name(), length, std::move(learnt.units), labels_ == Labels::none ? data::TargetEncoder() : data::fit_target(table_, training, schema_, options_.table));
    FittedData fitted;
    fitted.task = preprocess.target().task();
    fitted.class_names = names_of(preprocess.target().class_names());
    fitted.heads = heads_of(preprocess.target());
    fitted.input_shape = Shape{preprocess.length()};
    fitted.vocabulary = preprocess.vocab_size();
    fitted.buffers = std::move(learnt.buffers);
    fitted.preprocess = preprocess.to_json();
    fitted.training_samples.assign(training.begin(), training.end());
    std::vector<std::vector<int64_t>> texts;
    for (const int64_t row : data::all_rows(table_)) texts.push_back(preprocess.encode(text(row)));
    for (const int64_t row : data::all_rows(unlabelled_)) texts.push_back(preprocess.encode(text_of(unlabelled_, row)));
    const auto empty = std::count_if(training.begin(), training.end(), [&](int64_t row) { return texts[static_cast<size_t>(row)].empty(); });
    fitted.reasons = fmt::format("text \"{}\": {} {} and padding; texts are cut off after {}; {} training texts have none\n", column_name(), preprocess.vocab_size() - 1,
                                 learnt.unit, length, empty);
    if (labels_ == Labels::none) {
      fitted.dataset = std::make_unique<data::MaskedTextDataset>(std::move(texts), data::Masking{options_.text.mask_rate, mask_of(preprocess), preprocess.vocab_size()});
      return fitted;
    }
    Tensor labels = with_unlabelled(preprocess.target().labels(table_, data::all_rows(table_)));
    fitted.dataset = with_partners(std::make_unique<data::TextDataset>(std::move(texts), std::move(labels), options_.text.token_dropout));
    return fitted;
  }

 protected:
  // What texts are made of, from training rows alone.
  struct Learnt {
    std::variant<data::Tokenizer, data::NgramVocabulary> units;
    int64_t length;  // that texts have, unless the recipe says
    const char* unit;
    std::vector<nn::NamedTensor> buffers;
  };
  virtual Learnt learn(std::span<const int64_t> training) const = 0;

  std::string_view text(int64_t row) const { return text_of(table_, row); }

  // As that part of them have at most, to a multiple of kLengthStep.
  static int64_t length_covering(double part, std::vector<int64_t> lengths, int64_t most) {
    if (lengths.empty()) return kLengthStep;
    const auto at = lengths.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(lengths.size() - 1));
    std::nth_element(lengths.begin(), at, lengths.end());
    return std::clamp((*at + kLengthStep - 1) / kLengthStep * kLengthStep, kLengthStep, most);
  }

 private:
  std::string_view text_of(const data::Table& table, int64_t row) const {
    const data::Cell cell = table.cell(row, column_);
    return data::is_missing(cell) ? std::string_view() : std::string_view(cell);
  }
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
  static int64_t mask_of(const data::TextPreprocess& preprocess) {
    if (const auto mask = preprocess.mask()) return *mask;
    throw ConfigError(kWhere, fmt::format("tokenizer.file (or that of transfer.from): got a tokeniser without a token that hides others; expected one with {}, [MASK] or <mask>, as a masked_encoder learns it, or none", data::kMaskToken));
  }
  const std::string& column_name() const { return table_.column(column_).name; }

  Labels labels_;
  int64_t column_;
  std::vector<Hash128> text_hashes_;
};

class TokenizedTexts : public TextSource {
 public:
  TokenizedTexts(const DataSection& options, const TokenizerSection& tokenizer, Labels labels, int64_t partners)
      : TextSource(options, labels, partners), tokenizer_(tokenizer) {
    if (labels == Labels::none) special_.emplace_back(data::kMaskToken);
  }

 protected:
  Learnt learn(std::span<const int64_t> training) const override {
    data::Tokenizer tokenizer = make_tokenizer(training);
    std::vector<int64_t> lengths;
    for (const int64_t row : training) lengths.push_back(static_cast<int64_t>(tokenizer.encode(text(row)).size()));
    return {std::move(tokenizer), length_covering(kCovered, std::move(lengths), kMostTokens), "tokens", {}};
  }

 private:
  data::Tokenizer make_tokenizer(std::span<const int64_t> training) const {
    if (!tokenizer_.file.empty()) return load_tokenizer(expand_path(tokenizer_.file));
    if (tokenizer_.type == "character") {
      data::CharacterVocabulary characters;
      for (const int64_t row : training) characters.add(text(row));
      return without_end(characters.model({.min_frequency = tokenizer_.min_frequency, .special_tokens = special_}));
    }
    data::BpeTrainer trainer({.vocab_size = tokenizer_.vocab_size, .min_frequency = tokenizer_.min_frequency, .pattern = tokenizer_.pattern, .special_tokens = special_});
    for (const int64_t row : training) trainer.add(text(row));
    return without_end(trainer.train());
  }
  // A text of a table ends where it ends; the first special token, which those who learn a vocabulary take for the end, is the mask.
  static data::Tokenizer without_end(data::TokenizerModel model) {
    model.eos.reset();
    return data::Tokenizer(std::move(model));
  }

  TokenizerSection tokenizer_;
  std::vector<std::string> special_;
};

class NgramTexts : public TextSource {
 public:
  NgramTexts(const DataSection& options, const data::NgramOptions& ngrams, int64_t partners) : TextSource(options, Labels::given, partners), ngrams_(ngrams) {}

 protected:
  Learnt learn(std::span<const int64_t> training) const override {
    data::NgramCounter counter(ngrams_);
    for (const int64_t row : training) counter.add(text(row));
    data::NgramVocabulary vocabulary = counter.vocabulary();
    std::vector<int64_t> lengths;
    for (const int64_t row : training) lengths.push_back(static_cast<int64_t>(vocabulary.encode(text(row), kMostNgrams).size()));
    const std::vector<float> idf = counter.idf(vocabulary);
    Tensor buffer = Tensor::empty({static_cast<int64_t>(idf.size())});
    std::copy(idf.begin(), idf.end(), buffer.mutable_data());
    return {std::move(vocabulary), length_covering(1, std::move(lengths), kMostNgrams), "n-grams", {{models::kIdf, buffer}}};
  }

 private:
  data::NgramOptions ngrams_;
};

}  // namespace

std::unique_ptr<DataSource> open_texts(const DataSection& options, const TokenizerSection& tokenizer, Labels labels, int64_t partners) {
  return std::make_unique<TokenizedTexts>(options, tokenizer, labels, partners);
}

std::unique_ptr<DataSource> open_ngrams(const DataSection& options, const data::NgramOptions& ngrams, int64_t partners) {
  return std::make_unique<NgramTexts>(options, ngrams, partners);
}

}  // namespace danlu::app
