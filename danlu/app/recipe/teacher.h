// The model that a recipe's train.distill names: a finished run, whose probabilities another one learns from.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "danlu/app/recipe/data_source.h"
#include "danlu/app/recipe/run_directory.h"
#include "danlu/infer/predictor.h"

namespace danlu::app {

class Teacher {
 public:
  // A run by its name beside `student` or by its path, or a bundle. Throws ConfigError for the student itself, another kind of input or
  // other classes; FileError and DataError as Predictor does.
  Teacher(const std::string& from, const RunDirectory& student, infer::InputKind input, const std::vector<std::string>& class_names);

  const std::string& weights_hash() const { return weights_hash_; }

  // Throws DataError if it has learnt from a sample of `test`, which lets the student's score look better than it is; says in the log
  // where that cannot be told. `data_hash`: of the student's source, which has `size` samples.
  void require_unseen(std::span<const int64_t> test, const std::string& data_hash, int64_t size) const;

  // (size of the source, classes in the student's order); zeros for the samples that are not asked for.
  Tensor probabilities(const DataSource& source, std::span<const int64_t> samples);

 private:
  std::string name_;
  fs::path bundle_;
  infer::Predictor predictor_;
  std::string weights_hash_;
  std::vector<int64_t> columns_;  // of each class of the student, where the teacher has it
};

}  // namespace danlu::app
