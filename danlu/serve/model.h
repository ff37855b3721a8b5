// What the server asks of a model: to turn rows or images into numbers, run them, and read the outcome.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/engine/tensor/tensor.h"
#include "danlu/infer/explanation.h"
#include "danlu/infer/predictor.h"

namespace danlu::serve {

// Threads: run() is called by one thread at a time; the rest by any number.
class Model {
 public:
  virtual ~Model() = default;

  virtual infer::InputKind input_kind() const = 0;
  virtual const std::vector<std::string>& class_names() const = 0;    // empty for regression
  virtual const std::vector<std::string>& input_columns() const = 0;  // empty unless input_kind() is table
  virtual int64_t num_parameters() const = 0;

  // N rows, or the bytes of N image files, to a tensor (N, ...). Throw DataError for those that do not fit the model.
  // Each is called only for its own input_kind().
  virtual Tensor encode_rows(const Json& rows) const = 0;
  virtual Tensor encode_images(std::span<const std::string_view> files) const = 0;

  virtual Tensor run(const Tensor& x) = 0;
  virtual std::vector<infer::Prediction> decode(const Tensor& y) const = 0;

  // Why it answers so: one for each row or image, of the same input; `run` leads to run(). Throw as encode does; DataError, too, where a
  // model has no reasons to give.
  virtual std::vector<infer::Explanation> explain_rows(const Json& rows, const infer::Run& run) const;
  virtual std::vector<infer::Explanation> explain_images(std::span<const std::string_view> files, const infer::Run& run) const;
};

// A trained bundle.
std::unique_ptr<Model> make_model(infer::Predictor predictor);

}  // namespace danlu::serve
