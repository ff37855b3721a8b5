#include "danlu/data/dataset/token_dataset.h"

#include <algorithm>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/epoch_rng.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.token_dataset";

}  // namespace

void TokenDatasetOptions::describe(OptionVisitor& v) {
  v.field("context", context, {1, 1 << 24}, "tokens in a window: the longest text that the model looks back on");
  v.field("stride", stride, {1, 1 << 24}, "tokens from one window to the next; absent: context");
  v.field("isolate_documents", isolate_documents, "attention and prediction end where a document ends");
  v.field("random_offset", random_offset, "training windows begin somewhere else every epoch");
}

TokenDataset::TokenDataset(TokenShards tokens, const TokenDatasetOptions& options)
    : tokens_(std::move(tokens)),
      context_(options.context),
      stride_(options.stride.value_or(options.context)),
      isolate_(options.isolate_documents),
      random_offset_(options.random_offset) {
  if (context_ < 1 || stride_ < 1 || stride_ > context_) {
    throw ConfigError(kWhere, fmt::format("got context {} and stride {}; expected a context of at least 1 and a stride "
                                          "from 1 to the context",
                                          context_, stride_));
  }
  if (tokens_.size() < 2) {
    throw DataError(kWhere, fmt::format("got {} tokens; expected at least 2: one to read and one to predict",
                                        tokens_.size()));
  }
  const int64_t beyond_first = std::max<int64_t>(0, tokens_.size() - 1 - context_);
  size_ = 1 + (beyond_first + stride_ - 1) / stride_;
}

int64_t TokenDataset::begin_of(int64_t index, const Variant& variant) const {
  const int64_t begin = index * stride_;
  if (variant.phase != Phase::train || !random_offset_) return begin;
  Rng rng = epoch_rng(variant.seed, variant.epoch, RngPurpose::augment, static_cast<uint64_t>(index));
  const int64_t last = std::max<int64_t>(0, tokens_.size() - 1 - context_);
  return std::min(begin + rng.below(stride_), last);
}

void TokenDataset::fill(std::span<const int64_t> indexes, Batch& batch, const Variant& variant) const {
  const Shape shape{static_cast<int64_t>(indexes.size()), context_};
  prepare(batch.x, shape, Dtype::i64);
  prepare(batch.y, shape, Dtype::i64);
  if (isolate_) {
    prepare(batch.first, shape, Dtype::i64);
  } else {
    batch.first = {};
  }
  std::vector<int64_t> window(static_cast<size_t>(context_) + 1);
  int64_t* x = batch.x.mutable_data<int64_t>();
  int64_t* y = batch.y.mutable_data<int64_t>();
  int64_t* first = isolate_ ? batch.first.mutable_data<int64_t>() : nullptr;
  for (const int64_t index : indexes) {
    fill_tokens(begin_of(index, variant), window, x, y);
    if (isolate_) isolate(x, y, first), first += context_;
    if (variant.phase == Phase::evaluate && index > 0) std::fill_n(y, context_ - stride_, -1);
    x += context_, y += context_;
  }
}

void TokenDataset::fill_tokens(int64_t begin, std::span<int64_t> window, int64_t* x, int64_t* y) const {
  const int64_t count = std::min(context_ + 1, tokens_.size() - begin);
  tokens_.read(begin, window.first(static_cast<size_t>(count)));
  const int64_t* tokens = window.data();
  std::copy_n(tokens, std::min(count, context_), x);
  std::copy_n(tokens + 1, count - 1, y);
  // Past the end of the stream: any valid token, and no target.
  if (count < context_) std::fill(x + count, x + context_, tokens[count - 1]);
  std::fill(y + count - 1, y + context_, -1);
}

void TokenDataset::isolate(const int64_t* x, int64_t* y, int64_t* first) const {
  const TokenStreamInfo& info = tokens_.info();
  const int64_t start = info.document_start().value_or(-1);
  int64_t begin = 0;
  for (int64_t t = 0; t < context_; ++t) {
    if (x[t] == start) begin = t;
    first[t] = begin;
    if (y[t] == start && !info.start_is_target()) y[t] = -1;
  }
}

}  // namespace danlu::data
