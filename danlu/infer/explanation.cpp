#include "danlu/infer/explanation.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/preprocessor.h"
#include "danlu/data/text/text_preprocess.h"
#include "danlu/data/text/trim.h"
#include "danlu/eval/shapley.h"
#include "danlu/infer/words.h"

namespace danlu::infer {
namespace {

constexpr const char* kWhere = "infer.explanation";
constexpr size_t kMostPhrases = 40;  // parts of a text
constexpr int64_t kPatches = 7;      // along each side of an image
constexpr int64_t kOrders = 12;      // of the parts of a text or an image

// A way to leave parts of one sample away.
class Masked {
 public:
  virtual ~Masked() = default;
  virtual int64_t parts() const = 0;
  virtual Tensor make(std::span<const eval::Coalition> coalitions) const = 0;
};

class MaskedRow : public Masked {
 public:
  // `x` (1, F).
  MaskedRow(Tensor x, const data::TablePreprocessor& preprocessor, const Tensor& background) : x_(std::move(x)), background_(background) {
    for (const data::FeatureColumn& column : preprocessor.columns()) ends_.push_back((ends_.empty() ? 0 : ends_.back()) + column.num_features());
  }
  int64_t parts() const override { return static_cast<int64_t>(ends_.size()); }
  Tensor make(std::span<const eval::Coalition> coalitions) const override {
    const int64_t features = x_.size(1);
    Tensor made = Tensor::empty({static_cast<int64_t>(coalitions.size()), features});
    float* out = made.mutable_data();
    for (const eval::Coalition& coalition : coalitions) {
      const float* there = x_.data();
      const float* away = background_.data() + coalition.background * features;
      int64_t feature = 0;
      for (size_t part = 0; part < ends_.size(); ++part) {
        const float* from = coalition.present[part] != 0 ? there : away;
        for (; feature < ends_[part]; ++feature) *out++ = from[feature];
      }
    }
    return made;
  }

 private:
  Tensor x_;
  const Tensor& background_;
  std::vector<int64_t> ends_;  // of each column's features
};

class MaskedText : public Masked {
 public:
  MaskedText(std::span<const int64_t> ids, std::vector<size_t> ends, int64_t width) : ids_(ids), ends_(std::move(ends)), width_(width) {}
  int64_t parts() const override { return static_cast<int64_t>(ends_.size()); }
  Tensor make(std::span<const eval::Coalition> coalitions) const override {
    Tensor made = Tensor::zeros({static_cast<int64_t>(coalitions.size()), width_}, Dtype::i64);
    int64_t* row = made.mutable_data<int64_t>();
    for (const eval::Coalition& coalition : coalitions) {
      int64_t* out = row;
      size_t token = 0;
      for (size_t part = 0; part < ends_.size(); ++part) {
        for (; token < ends_[part]; ++token) {
          if (coalition.present[part] != 0) *out++ = ids_[token];
        }
      }
      row += width_;
    }
    return made;
  }

 private:
  std::span<const int64_t> ids_;
  std::vector<size_t> ends_;  // of each part's tokens
  int64_t width_;
};

// A text of n-grams: what is left of it is read anew, so that the words beside one that is away become neighbours.
class MaskedWords : public Masked {
 public:
  // `ends`: of each part, in words.
  MaskedWords(const data::TextPreprocess& preprocess, std::vector<std::string_view> words, std::vector<size_t> ends)
      : preprocess_(preprocess), words_(std::move(words)), ends_(std::move(ends)) {}
  int64_t parts() const override { return static_cast<int64_t>(ends_.size()); }
  Tensor make(std::span<const eval::Coalition> coalitions) const override {
    const int64_t width = preprocess_.length();
    Tensor made = Tensor::zeros({static_cast<int64_t>(coalitions.size()), width}, Dtype::i64);
    int64_t* row = made.mutable_data<int64_t>();
    for (const eval::Coalition& coalition : coalitions) {
      std::string text;
      size_t word = 0;
      for (size_t part = 0; part < ends_.size(); ++part) {
        for (; word < ends_[part]; ++word) {
          if (coalition.present[part] != 0) text += words_[word];
        }
      }
      const std::vector<int64_t> ids = preprocess_.encode(text);
      std::copy(ids.begin(), ids.end(), row);
      row += width;
    }
    return made;
  }

 private:
  const data::TextPreprocess& preprocess_;
  std::vector<std::string_view> words_;
  std::vector<size_t> ends_;
};

class MaskedImage : public Masked {
 public:
  // `x` (1, H, W, C), normalised.
  explicit MaskedImage(Tensor x) : x_(std::move(x)), rows_(std::min(kPatches, x_.size(1))), columns_(std::min(kPatches, x_.size(2))) {}
  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  int64_t parts() const override { return rows_ * columns_; }
  Tensor make(std::span<const eval::Coalition> coalitions) const override {
    const int64_t height = x_.size(1), width = x_.size(2), channels = x_.size(3);
    Tensor made = Tensor::zeros(x_.shape().with(0, static_cast<int64_t>(coalitions.size())));  // normalised: the mean colour
    float* out = made.mutable_data();
    for (const eval::Coalition& coalition : coalitions) {
      for (int64_t y = 0; y < height; ++y) {
        for (int64_t x = 0; x < width; ++x) {
          const auto part = static_cast<size_t>(y * rows_ / height * columns_ + x * columns_ / width);
          const float* from = x_.data() + (y * width + x) * channels;
          if (coalition.present[part] != 0) std::copy_n(from, channels, out);
          out += channels;
        }
      }
    }
    return made;
  }

 private:
  Tensor x_;
  int64_t rows_, columns_;
};

// Its label, answer, baseline, and parts without their names.
Explanation explain_one(const Predictor& predictor, const Prediction& said, const Masked& masked, const Run& run, const eval::ShapleyOptions& options) {
  const std::vector<std::string>& classes = predictor.class_names();
  auto of_class = static_cast<size_t>(std::find(classes.begin(), classes.end(), said.label) - classes.begin());
  if (of_class == classes.size() && !classes.empty()) {  // it abstains: what it would be
    of_class = static_cast<size_t>(std::max_element(said.probabilities.begin(), said.probabilities.end()) - said.probabilities.begin());
  }
  const auto worth = [&](std::span<const eval::Coalition> coalitions) {
    std::vector<double> worths;
    for (const Prediction& p : predictor.decode(run(masked.make(coalitions)))) worths.push_back(classes.empty() ? p.value : p.probabilities.at(of_class));
    return worths;
  };
  const eval::ShapleyValues shares = eval::shapley_values(masked.parts(), worth, options);
  Explanation explanation;
  explanation.input = predictor.input_kind();
  explanation.label = classes.empty() ? "" : classes[of_class];
  explanation.answer = shares.all;
  explanation.baseline = shares.none;
  for (size_t i = 0; i < shares.values.size(); ++i) explanation.parts.push_back({.name = {}, .value = {}, .contribution = shares.values[i], .error = shares.errors[i]});
  return explanation;
}

Explanation explain_row(const Predictor& predictor, const data::Table& row, const Run& run) {
  const data::TablePreprocessor& preprocessor = *predictor.table_preprocess();
  const Tensor& background = predictor.background();
  const Tensor x = predictor.encode(row);
  // Half of the orders are those of the others, reversed; a small background meets more of them.
  const int64_t backgrounds = background.size(0), orders = 2 * std::max<int64_t>(1, 64 / backgrounds);
  Explanation explanation = explain_one(predictor, predictor.decode(run(x))[0], MaskedRow(x, preprocessor, background), run, {.backgrounds = backgrounds, .orders = orders});
  for (size_t i = 0; i < explanation.parts.size(); ++i) {
    Explanation::Part& part = explanation.parts[i];
    part.name = preprocessor.columns()[i].name();
    const data::Cell cell = row.cell(0, row.column_index(part.name));
    part.missing = data::is_missing(cell);
    part.value = part.missing ? "" : std::string(cell);
  }
  return explanation;
}

Explanation explain_text(const Predictor& predictor, const data::Table& row, const Run& run) {
  const data::TextPreprocess& preprocess = *predictor.text_preprocess();
  const data::Cell cell = row.cell(0, row.column_index(preprocess.column()));
  const bool missing = data::is_missing(cell);
  std::vector<Phrase> phrases;
  std::vector<size_t> ends;
  std::vector<int64_t> ids;
  std::unique_ptr<Masked> masked;
  if (preprocess.ngrams() != nullptr) {
    // Of what is cut off nothing is read, in the place of earlier words either, which are away.
    std::vector<std::string_view> words = missing ? std::vector<std::string_view>() : data::word_parts(cell.substr(0, preprocess.bytes_read(cell)));
    phrases = phrases_of(words, kMostPhrases);
    for (const Phrase& phrase : phrases) ends.push_back(phrase.end);
    masked = std::make_unique<MaskedWords>(preprocess, std::move(words), std::move(ends));
  } else {
    if (!missing) ids = preprocess.encode(cell);
    phrases = phrases_of(ids, *preprocess.tokenizer(), kMostPhrases);
    for (const Phrase& phrase : phrases) ends.push_back(phrase.end);
    masked = std::make_unique<MaskedText>(ids, std::move(ends), preprocess.length());
  }
  Explanation explanation = explain_one(predictor, predictor.decode(run(predictor.encode(row)))[0], *masked, run, {.orders = kOrders});
  size_t read = 0;
  for (size_t i = 0; i < phrases.size(); ++i) {
    explanation.parts[i].value = phrases[i].text;
    read += phrases[i].bytes;
  }
  if (!missing && read < cell.size()) explanation.cut_off = static_cast<int64_t>(cell.size() - read);
  return explanation;
}

// Parts, the greatest contribution first, whichever its sign.
std::vector<const Explanation::Part*> by_weight(const Explanation& explanation) {
  std::vector<const Explanation::Part*> parts;
  for (const Explanation::Part& part : explanation.parts) parts.push_back(&part);
  std::stable_sort(parts.begin(), parts.end(), [](auto* a, auto* b) { return std::abs(a->contribution) > std::abs(b->contribution); });
  return parts;
}

void check_has_reasons(const Predictor& predictor) {
  if (predictor.task() == data::TaskKind::multitask) throw DataError(kWhere, fmt::format("{} has several targets, of which none is explained", predictor.name()));
  if (predictor.task() != data::TaskKind::clustering) return;
  throw DataError(kWhere, fmt::format("{} names the nearest of its clusters; the distances say why, and there are no other reasons", predictor.name()));
}

}  // namespace

double Explanation::gap() const {
  double sum = 0;
  for (const Part& part : parts) sum += part.contribution;
  return answer - baseline - sum;
}

std::vector<Explanation> explain(const Predictor& predictor, const data::Table& table, const Run& run) {
  check_has_reasons(predictor);
  if (predictor.input_kind() == InputKind::image) throw DataError(kWhere, fmt::format("{} takes images; got rows of a table", predictor.name()));
  const bool text = predictor.text_preprocess() != nullptr;
  if (!text && !predictor.background().defined()) {
    throw FileError(kWhere, fmt::format("the bundle of {} has no background.json, which explanations are made with; evaluate its run again with this version", predictor.name()));
  }
  std::vector<Explanation> explanations;
  for (const int64_t row : data::all_rows(table)) {
    const data::Table one = table.select(std::span(&row, 1));
    explanations.push_back(text ? explain_text(predictor, one, run) : explain_row(predictor, one, run));
  }
  return explanations;
}

std::vector<Explanation> explain(const Predictor& predictor, std::span<const data::Image> images, const Run& run) {
  check_has_reasons(predictor);
  std::vector<Explanation> explanations;
  for (const data::Image& image : images) {
    const Tensor x = predictor.encode(std::span(&image, 1));
    const MaskedImage masked(x);
    Explanation explanation = explain_one(predictor, predictor.decode(run(x))[0], masked, run, {.orders = kOrders});
    explanation.rows = masked.rows();
    explanation.columns = masked.columns();
    explanations.push_back(std::move(explanation));
  }
  return explanations;
}

std::vector<std::string> reasons(const Explanation& explanation, size_t most) {
  std::vector<std::string> words;
  if (explanation.input == InputKind::image) return words;
  for (const Explanation::Part* part : by_weight(explanation)) {
    if (words.size() == most || part->contribution == 0) break;
    const std::string_view text = data::trimmed(part->value);
    const std::string what = part->name.empty() ? fmt::format("\"{}\"", text.empty() ? part->value : text)
                             : part->missing    ? fmt::format("{} is missing", part->name)
                                                : fmt::format("{} = {}", part->name, part->value);
    words.push_back(fmt::format("{}: {:+.3g}", what, part->contribution));
  }
  return words;
}

Json to_json(const Explanation& explanation) {
  Json json = Json::object();
  if (!explanation.label.empty()) json["class"] = explanation.label;
  json["answer"] = explanation.answer;
  json["baseline"] = explanation.baseline;
  const auto error_of = [](const Explanation::Part& part) { return std::isfinite(part.error) ? Json(part.error) : Json(nullptr); };
  if (explanation.input == InputKind::image) {
    Json& patches = json["patches"] = Json::array();
    for (size_t i = 0; i < explanation.parts.size(); ++i) {
      if (i % static_cast<size_t>(explanation.columns) == 0) patches.push_back(Json::array());
      patches.back().push_back(explanation.parts[i].contribution);
    }
    return json;
  }
  json["reasons"] = reasons(explanation);
  Json& contributions = json["contributions"] = Json::array();
  if (explanation.input == InputKind::text) {
    for (const Explanation::Part& part : explanation.parts) contributions.push_back({{"text", part.value}, {"contribution", part.contribution}, {"error", error_of(part)}});
    if (explanation.cut_off > 0) json["bytes_not_read"] = explanation.cut_off;
    return json;
  }
  for (const Explanation::Part* part : by_weight(explanation)) {
    contributions.push_back({{"column", part->name}, {"value", part->missing ? Json(nullptr) : Json(part->value)}, {"contribution", part->contribution}, {"error", error_of(*part)}});
  }
  return json;
}

}  // namespace danlu::infer
