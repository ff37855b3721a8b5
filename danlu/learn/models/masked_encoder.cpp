#include "danlu/learn/models/masked_encoder.h"

#include <algorithm>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/embedding.h"
#include "danlu/engine/ops/linear.h"
#include "danlu/engine/ops/linear_cross_entropy.h"
#include "danlu/engine/ops/movement.h"

namespace danlu::models {
namespace {

constexpr const char* kWhere = "learn.encoder";

}  // namespace

MaskedEncoder::MaskedEncoder(const EncoderOptions& options, int64_t length)
    : TextEncoder(options, length), transform_(add("transform", nn::Linear(options.width, options.width))), norm_(add("transform_norm", nn::LayerNorm(options.width))) {}

Tensor MaskedEncoder::features(const Tensor& ids, const Tensor& at) {
  const Hidden hidden = encode(ids);
  const auto places = at.span<int64_t>();
  if (const auto bad = std::find_if(places.begin(), places.end(), [&](int64_t p) { return p < 0 || p >= ids.numel(); }); bad != places.end()) {
    throw ShapeError(kWhere, fmt::format("got the place {} in ids of shape {}; expected 0 to {}", *bad, ids.shape().str(), ids.numel() - 1));
  }
  // To where encode() has moved them. Padding has no features of its own: the last ones stand for it.
  const int64_t length = ids.size(1);
  Tensor moved = Tensor::empty(at.shape(), Dtype::i64);
  for (int64_t i = 0; i < at.numel(); ++i) {
    const int64_t place = at.data<int64_t>()[i], row = place / length;
    moved.mutable_data<int64_t>()[i] = std::min(place + hidden.begin.data<int64_t>()[row], (row + 1) * length - 1);
  }
  const Tensor x = embedding(moved, reshape(hidden.x, {-1, width()}));
  return (*norm_)(gelu((*transform_)(x)));
}

Tensor MaskedEncoder::loss(const Tensor& ids, const Tensor& targets) {
  if (targets.shape() != ids.shape()) throw ShapeError(kWhere, fmt::format("got targets of shape {} for ids of shape {}; expected the same", targets.shape().str(), ids.shape().str()));
  const auto asked = targets.span<int64_t>();
  std::vector<int64_t> places;
  for (size_t i = 0; i < asked.size(); ++i) {
    if (asked[i] != kIgnore) places.push_back(static_cast<int64_t>(i));
  }
  Tensor at = Tensor::empty({std::ssize(places)}, Dtype::i64), wanted = Tensor::empty({std::ssize(places)}, Dtype::i64);
  for (size_t i = 0; i < places.size(); ++i) {
    at.mutable_data<int64_t>()[i] = places[i];
    wanted.mutable_data<int64_t>()[i] = asked[static_cast<size_t>(places[i])];
  }
  return linear_cross_entropy(features(ids, at), tokens().weight, wanted, {.ignore = kIgnore});
}

Tensor MaskedEncoder::logits(const Tensor& ids, const Tensor& at) { return linear(features(ids, at), tokens().weight); }

Tensor MaskedEncoder::forward(const Tensor& ids) {
  Tensor all = Tensor::empty({ids.numel()}, Dtype::i64);
  for (int64_t i = 0; i < all.numel(); ++i) all.mutable_data<int64_t>()[i] = i;
  return reshape(logits(ids, all), {ids.size(0), ids.size(1), vocab_size()});
}

std::string MaskedEncoder::describe() const { return fmt::format("MaskedEncoder({})", sizes()); }

std::unique_ptr<nn::Module> make_masked_encoder(const EncoderOptions& given, const Shape& input, int64_t vocab_size) {
  EncoderOptions options = given;
  if (options.vocab_size == 0) options.vocab_size = vocab_size;
  check_encoder(options);
  require_text(options, input);
  return std::make_unique<MaskedEncoder>(options, input[0]);
}

}  // namespace danlu::models
