// What the sources made of a table have in common: its labelled rows, their classes, and the report on them. Where nobody labels them,
// all rows.
#pragma once

#include <string>
#include <vector>

#include "danlu/app/recipe/data_source.h"
#include "danlu/data/table/schema.h"
#include "danlu/data/table/table.h"
#include "danlu/data/table/target.h"

namespace danlu::app {

class LabelledTable : public DataSource {
 public:
  explicit LabelledTable(const DataSection& options, Labels labels = Labels::given, int64_t partners = 0);

  Hash128 content_hash() const override;

  int64_t size() const override { return table_.num_rows(); }
  std::span<const int64_t> strata() const override { return strata_; }
  std::span<const Hash128> hashes() const override { return hashes_; }
  std::span<const data::Part> given() const override { return given_; }
  QualityReport report(const data::Split& split) const override;
  Tensor encode(const infer::Predictor& predictor, std::span<const int64_t> samples) const override { return predictor.encode(table_.select(samples)); }
  std::vector<int64_t> labels(std::span<const int64_t> samples, const Json& preprocess, const std::string& target) const override;
  std::vector<double> targets(std::span<const int64_t> samples, const std::string& target) const override;
  std::vector<std::string> values_of(const std::string& column, std::span<const int64_t> samples) const override;
  Json example(const infer::Predictor& predictor, int64_t sample) const override;

 protected:
  // That of a bundle, read back.
  virtual data::TargetEncoder target_of(const Json& preprocess) const = 0;
  // What several targets are, with their weights in training; empty for one.
  std::vector<data::Head> heads_of(const data::TargetEncoder& target) const;
  // Samples with those without a label at their end: `labels` with as many more of data::kUnlabelled.
  Tensor with_unlabelled(const Tensor& labels) const;
  // In training each of the samples brings some of those without a label along, where the recipe asks for it.
  std::unique_ptr<data::Dataset> with_partners(std::unique_ptr<data::Dataset> all) const;
  // What answers call the classes.
  std::vector<std::string> names_of(const std::vector<std::string>& classes) const;

  DataSection options_;
  data::Table table_;  // rows with a value in the target column, if there is one
  data::Table unlabelled_;  // those without, if they are to be learnt from; else none
  data::Schema schema_;

 private:
  int64_t partners_;
  std::vector<int64_t> strata_;
  std::vector<Hash128> hashes_;
  std::vector<data::Part> given_;  // by data.split.column
};

}  // namespace danlu::app
