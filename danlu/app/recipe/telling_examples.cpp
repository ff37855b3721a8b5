#include "danlu/app/recipe/telling_examples.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/base64.h"
#include "danlu/data/image/decode.h"

namespace danlu::app {
namespace {

constexpr size_t kExamples = 12;
constexpr int64_t kLargestSide = 128;

// The first dozen by `rank`, least first; those of infinite rank are left out.
std::vector<size_t> least(size_t count, const std::function<double(size_t)>& rank) {
  std::vector<std::pair<double, size_t>> all;
  for (size_t i = 0; i < count; ++i) {
    if (const double r = rank(i); std::isfinite(r)) all.emplace_back(r, i);
  }
  const size_t kept = std::min(all.size(), kExamples);
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end());
  std::vector<size_t> first;
  for (size_t i = 0; i < kept; ++i) first.push_back(all[i].second);
  return first;
}

std::string small_png(const std::string& encoded) {
  const std::string bytes = base64_decode(encoded).value_or("");
  const data::Image image = data::decode_image(bytes, "example");
  const int64_t side = std::max(image.height, image.width);
  if (side <= kLargestSide) return encoded;
  const auto scaled = [&](int64_t length) { return std::max<int64_t>(1, length * kLargestSide / side); };
  return base64_encode(data::encode_png(data::resize(image, scaled(image.height), scaled(image.width))));
}

class Examples {
 public:
  Examples(const DataSource& source, const infer::Predictor& predictor, std::span<const int64_t> samples, const eval::Predictions& p)
      : source_(source), predictor_(predictor), samples_(samples), p_(p) {}

  Json classes() const {
    const auto wrong = [&](size_t i) { return p_.predicted()[i] == p_.labels()[i] ? HUGE_VAL : -sure(i); };
    return {{"wrong", list(least(samples_.size(), wrong))}, {"unsure", list(least(samples_.size(), [&](size_t i) { return sure(i); }))}, {"right", list(surest_of_each_class())}};
  }
  Json labels() const {
    const auto width = static_cast<size_t>(p_.classes());
    const auto wrong = [&](size_t i) {
      double count = 0;
      for (size_t k = i * width; k < (i + 1) * width; ++k) count += p_.predicted()[k] == p_.labels()[k] ? 0 : 1;
      return count;
    };
    const auto several_right = [&](size_t i) {
      const auto there = p_.labels().subspan(i * width, width);
      return wrong(i) > 0 ? HUGE_VAL : -static_cast<double>(std::count(there.begin(), there.end(), 1));
    };
    return {{"wrong", list(least(samples_.size(), [&](size_t i) { return wrong(i) > 0 ? -wrong(i) : HUGE_VAL; }))}, {"right", list(least(samples_.size(), several_right))}};
  }
  Json numbers() const {
    const auto error = [&](size_t i) { return std::abs(p_.targets()[i] - p_.values()[i]); };
    return {{"wrong", list(least(samples_.size(), [&](size_t i) { return -error(i); }))}, {"right", list(least(samples_.size(), error))}};
  }

 private:
  // The names of those that hold.
  std::string label_names(std::span<const int64_t> zeros_and_ones, size_t i) const {
    const auto& names = predictor_.class_names();
    std::string text;
    for (size_t k = 0; k < names.size(); ++k) {
      if (zeros_and_ones[i * names.size() + k] != 0) text += (text.empty() ? "" : ", ") + names[k];
    }
    return text;
  }
  double sure(size_t i) const { return p_.probabilities()[i * static_cast<size_t>(p_.classes()) + static_cast<size_t>(p_.predicted()[i])]; }

  std::vector<size_t> surest_of_each_class() const {
    std::vector<size_t> chosen;
    for (int64_t of_class = 0; of_class < p_.classes() && chosen.size() < kExamples; ++of_class) {
      const auto right = [&](size_t i) { return p_.predicted()[i] == of_class && p_.labels()[i] == of_class ? -sure(i) : HUGE_VAL; };
      const std::vector<size_t> first = least(samples_.size(), right);
      if (!first.empty()) chosen.push_back(first[0]);
    }
    return chosen;
  }

  Json list(const std::vector<size_t>& chosen) const {
    Json all = Json::array();
    for (const size_t i : chosen) {
      Json example = {{"sample", samples_[i]}};
      if (p_.task() == eval::Task::regression) {
        example.update({{"actual", p_.targets()[i]}, {"predicted", p_.values()[i]}});
      } else if (p_.task() == eval::Task::multilabel) {
        example.update({{"actual", label_names(p_.labels(), i)}, {"predicted", label_names(p_.predicted(), i)}});
      } else {
        const auto& names = predictor_.class_names();
        example.update({{"actual", names[static_cast<size_t>(p_.labels()[i])]}, {"predicted", names[static_cast<size_t>(p_.predicted()[i])]}, {"probability", sure(i)}});
      }
      Json input = source_.example(predictor_, samples_[i]);
      if (input.contains("image")) input["image"] = small_png(input["image"].get<std::string>());
      example["input"] = std::move(input);
      all.push_back(std::move(example));
    }
    return all;
  }

  const DataSource& source_;
  const infer::Predictor& predictor_;
  std::span<const int64_t> samples_;
  const eval::Predictions& p_;
};

}  // namespace

Json telling_examples(const DataSource& source, const infer::Predictor& predictor, std::span<const int64_t> samples, const eval::Predictions& predictions) {
  const Examples examples(source, predictor, samples, predictions);
  if (predictions.task() == eval::Task::multilabel) return examples.labels();
  return predictions.task() == eval::Task::regression ? examples.numbers() : examples.classes();
}

}  // namespace danlu::app
