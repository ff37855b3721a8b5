#include "danlu/data/dataset/unlabelled_dataset.h"

#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/epoch_rng.h"

namespace danlu::data {

UnlabelledDataset::UnlabelledDataset(std::unique_ptr<Dataset> all, int64_t labelled, int64_t partners)
    : all_(std::move(all)), labelled_(labelled), partners_(partners) {
  if (labelled < 0 || labelled >= all_->size() || partners < 1) {
    throw DataError("data.dataset", fmt::format("got {} samples, {} of them labelled, and {} unlabelled ones beside each; expected at least one that is not, and one beside each",
                                                all_->size(), labelled, partners));
  }
}

void UnlabelledDataset::fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const {
  if (variant.phase == Phase::evaluate) return all_->gather(indexes, batch, variant);
  std::vector<int64_t> rows(indexes.begin(), indexes.end());
  for (const int64_t index : indexes) {
    Rng rng = epoch_rng(variant.seed, variant.epoch, RngPurpose::partners, static_cast<uint64_t>(index));
    for (int64_t k = 0; k < partners_; ++k) rows.push_back(labelled_ + rng.below(all_->size() - labelled_));
  }
  all_->gather(rows, batch, variant);
}

}  // namespace danlu::data
