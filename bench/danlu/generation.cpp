// A language model that reads a prompt and goes on, with weights of 8 and 4 bits: the shape of Qwen2.5-0.5B, at random.
#include "bench/danlu/workload.h"
#include "danlu/base/float16.h"
#include "danlu/base/rng.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/kernels/packed_weight.h"
#include "danlu/infer/cached_forward.h"
#include "danlu/infer/kv_cache.h"
#include "danlu/learn/models/gpt.h"

namespace danlu::bench {
namespace {

constexpr int64_t kPrompt = 512;   // tokens that are read at once
constexpr int64_t kBefore = 32;    // in the cache before the first step of generation
constexpr int64_t kWritten = 64;   // and steps until it starts anew

std::shared_ptr<models::Gpt> make_network(WeightFormat format) {
  const models::GptOptions options{.family = "qwen2", .layers = 24, .heads = 14, .kv_heads = 2, .width = 896, .head_dim = 64, .hidden = 4864, .context = 1024,
                                   .vocab_size = 151936, .rope_theta = 1e6, .norm_eps = 1e-6};
  Rng rng(7);
  auto network = std::make_shared<models::Gpt>(options, [&](const std::string& name, int64_t rows, int64_t columns) {
    const kernels::PackedWeight layout{name == "token_embedding" ? WeightFormat::q8 : format, rows, columns, nullptr};
    Tensor packed = Tensor::empty(QuantizedWeight::packed_shape(layout.format, rows, columns), Dtype::u8);
    uint8_t codes[kernels::kGroup];
    for (uint8_t& code : codes) code = static_cast<uint8_t>(rng.below(2 * kernels::zero_code(layout.format)));
    for (int64_t row = 0; row < rows; ++row) {
      codes[row % kernels::kGroup] = static_cast<uint8_t>(rng.below(2 * kernels::zero_code(layout.format)));
      for (int64_t group = 0; group < columns / kernels::kGroup; ++group) {
        kernels::put_group(layout, packed.mutable_data<uint8_t>(), row, group, codes, f32_to_f16(0.03f / static_cast<float>(kernels::zero_code(layout.format))));
      }
    }
    return QuantizedWeight(layout.format, rows, columns, packed);
  });
  for (Tensor& p : network->parameters()) p.fill(1);
  return network;
}

// Sequences in a cache, all of the same length.
class Sequences {
 public:
  Sequences(std::shared_ptr<models::Gpt> network, int64_t count) : network_(std::move(network)), cache_(network_->options(), count, infer::default_cache_format(*network_)), count_(count) {}

  int64_t length() const { return pieces_.empty() ? 0 : cache_.length(pieces_.front().slot); }
  void start(int64_t tokens) {
    for (const infer::Piece& piece : pieces_) cache_.release(piece.slot, false);
    pieces_.clear();
    for (int64_t s = 0; s < count_; ++s) {
      std::vector<data::TokenId> prompt;
      for (int64_t i = 0; i < tokens; ++i) prompt.push_back(static_cast<data::TokenId>((7919 * i + 31 * s + 13) % 1000));
      const int64_t slot = cache_.claim(prompt, 0)->slot;
      pieces_.push_back({slot, std::move(prompt)});
    }
    forward();
  }
  void step() {
    for (infer::Piece& piece : pieces_) piece.tokens = {1};
    forward();
  }

 private:
  // Logits of the last token of each.
  void forward() {
    const NoGrad no_grad;
    const Tensor hidden = infer::cached_forward(*network_, cache_, pieces_);
    network_->logits(hidden.rows(hidden.size(0) - count_, hidden.size(0)));
  }

  std::shared_ptr<models::Gpt> network_;
  infer::KvCache cache_;
  int64_t count_;
  std::vector<infer::Piece> pieces_;
};

}  // namespace

Workloads generation_workloads() {
  Workloads workloads;
  for (const WeightFormat format : {WeightFormat::q8, WeightFormat::q4}) {
    const std::string suffix = std::string("-") + weight_format_name(format);
    workloads["prefill" + ("-512" + suffix)] = [format](const auto&) {
      const auto sequences = std::make_shared<Sequences>(make_network(format), 1);
      return Step{[=] { sequences->start(kPrompt); }, kPrompt};
    };
    for (const int64_t count : {1, 8}) {
      workloads["decode" + ("-" + std::to_string(count)) + suffix] = [format, count](const auto&) {
        const auto sequences = std::make_shared<Sequences>(make_network(format), count);
        sequences->start(kBefore);
        return Step{[=] {
                      if (sequences->length() == kBefore + kWritten) sequences->start(kBefore);
                      sequences->step();
                    },
                    count};
      };
    }
  }
  return workloads;
}

}  // namespace danlu::bench
