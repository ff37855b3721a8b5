#include "danlu/infer/cached_forward.h"

#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/attention.h"

namespace danlu::infer {

Tensor cached_forward(models::Gpt& network, KvCache& cache, std::span<const Piece> pieces) {
  const NoGrad no_grad;
  const models::GptOptions& o = network.options();
  std::vector<int64_t> ids, positions;
  for (const Piece& piece : pieces) {
    for (size_t i = 0; i < piece.tokens.size(); ++i) {
      ids.push_back(piece.tokens[i]);
      positions.push_back(cache.length(piece.slot) + static_cast<int64_t>(i));
    }
    cache.append(piece.slot, piece.tokens);
  }
  const auto rows = static_cast<int64_t>(ids.size());
  std::vector<kernels::CachedSequence> sequences(pieces.size());
  const auto attend = [&](int64_t layer, const Tensor& qkv) {
    for (size_t i = 0; i < pieces.size(); ++i) {
      sequences[i] = cache.sequence(pieces[i].slot, layer, static_cast<int64_t>(pieces[i].tokens.size()));
    }
    Tensor mixed = Tensor::empty({rows, o.heads * o.head_dim});
    kernels::attention_cached(cache.shape(), qkv.data(), sequences, mixed.mutable_data());
    return mixed;
  };
  return network.hidden(Tensor::from({rows}, std::span<const int64_t>(ids)), Tensor::from({rows}, std::span<const int64_t>(positions)), attend);
}

}  // namespace danlu::infer
