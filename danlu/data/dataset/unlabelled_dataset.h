// Labelled samples that bring others, without a label, along: what semi-supervised training looks at.
//
// In Phase::train a batch of N labelled samples has N x `partners` more rows after them, drawn from the unlabelled samples, others in every
// epoch; their label is kUnlabelled. In Phase::evaluate it is the labelled samples alone.
#pragma once

#include <memory>

#include "danlu/data/dataset/dataset.h"

namespace danlu::data {

constexpr int64_t kUnlabelled = -1;  // as a class index

class UnlabelledDataset : public Dataset {
 public:
  // `all` has the labelled samples first, with class indexes, and at least one without a label after them. Throws DataError otherwise.
  UnlabelledDataset(std::unique_ptr<Dataset> all, int64_t labelled, int64_t partners);
  int64_t size() const override { return labelled_; }
  int64_t default_prefetch() const override { return all_->default_prefetch(); }

 protected:
  void fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const override;

 private:
  std::unique_ptr<Dataset> all_;
  int64_t labelled_, partners_;
};

}  // namespace danlu::data
