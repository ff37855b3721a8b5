#include "danlu/app/recipe/teacher.h"

#include <algorithm>

#include "danlu/app/recipe/split_file.h"
#include "danlu/app/recipe/transfer_source.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/log.h"
#include "danlu/infer/bundle_directory.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.distill";
constexpr const char* kKey = "train.distill.teacher";

fs::path bundle_of_teacher(const std::string& from, const RunDirectory& student) {
  fs::path bundle = bundle_of(from, student.path().parent_path());
  if (fs::weakly_canonical(bundle) == fs::weakly_canonical(student.bundle())) {
    throw ConfigError(kWhere, fmt::format("{}: got {}, this run itself; expected another", kKey, from));
  }
  return bundle;
}

}  // namespace

Teacher::Teacher(const std::string& from, const RunDirectory& student, infer::InputKind input, const std::vector<std::string>& class_names)
    : name_(from), bundle_(bundle_of_teacher(from, student)), predictor_(bundle_) {
  const Json config = read_json(bundle_ / infer::kConfigFile);
  weights_hash_ = config.value("training", Json::object()).value("weights_hash", "");
  if (predictor_.input_kind() != input) {
    throw ConfigError(kWhere, fmt::format("{}: {} takes a {}; this run learns from a {}", kKey, name_, infer::name_of(predictor_.input_kind()), infer::name_of(input)));
  }
  const std::vector<std::string>& known = predictor_.class_names();
  for (const std::string& name : class_names) {
    const auto found = std::find(known.begin(), known.end(), name);
    if (found != known.end()) columns_.push_back(found - known.begin());
  }
  if (!data::has_classes(predictor_.task()) || columns_.size() != class_names.size() || known.size() != class_names.size()) {
    throw ConfigError(kWhere, fmt::format("{}: {} tells {}; expected a model of the classes of this run, {}", kKey, name_,
                                          data::has_classes(predictor_.task()) ? fmt::format("{}", fmt::join(known, ", ")) : "no classes", fmt::join(class_names, ", ")));
  }
}

void Teacher::require_unseen(std::span<const int64_t> test, const std::string& data_hash, int64_t size) const {
  const RunDirectory run(bundle_.parent_path());
  const fs::path split_path = run.file("split.json");
  if (!run.exists() || !fs::exists(split_path) || run.fact("data_hash") != data_hash) {
    log_warning(kWhere, fmt::format("{} learnt from other data, or it is not known from which: if the test samples of this run are among them, its score is too good", name_));
    return;
  }
  const std::vector<int64_t> learnt = read_split(split_path, size).train;
  const auto seen = std::count_if(test.begin(), test.end(), [&](int64_t sample) { return std::binary_search(learnt.begin(), learnt.end(), sample); });
  if (seen == 0) return;
  throw DataError(kWhere, fmt::format("{}: {} has learnt from {} of the {} samples that this run tests on; expected none: set data.split as its recipe does", kKey, name_, seen, test.size()));
}

Tensor Teacher::probabilities(const DataSource& source, std::span<const int64_t> samples) {
  const Tensor said = source.predict(predictor_, samples);
  const int64_t classes = std::ssize(columns_);
  Tensor all = Tensor::zeros({source.size(), classes});
  for (size_t i = 0; i < samples.size(); ++i) {
    const float* from = said.data() + static_cast<int64_t>(i) * classes;
    float* to = all.mutable_data() + samples[i] * classes;
    for (int64_t c = 0; c < classes; ++c) to[c] = from[columns_[static_cast<size_t>(c)]];
  }
  return all;
}

}  // namespace danlu::app
