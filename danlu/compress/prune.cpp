#include "danlu/compress/prune.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::compress {

Pruning::Pruning(nn::Module& model, const Target& target, Scope scope) : target_(target), scope_(scope), layers_(weighted_layers(model)) {
  if (target.kind == Target::Kind::n_of_m) {
    std::erase_if(layers_, [&](const NamedLayer& l) { return l.layer->weight.shape().inner(0) % target.m != 0; });
  }
  if (layers_.empty()) throw ConfigError("compress.prune", fmt::format("got a model without a layer to prune; expected linear layers or convolutions{}",
                                                                       target.kind == Target::Kind::n_of_m ? fmt::format(" whose inputs are a multiple of {}", target.m) : ""));
  for (const NamedLayer& l : layers_) kept_.emplace_back(static_cast<size_t>(l.layer->weight.numel()), uint8_t{1});
}

void Pruning::choose_smallest(std::vector<std::vector<uint8_t>*>& kept, const std::vector<const Tensor*>& weights, double share) const {
  std::vector<float> magnitudes;
  for (const Tensor* weight : weights) {
    for (const float w : weight->span()) magnitudes.push_back(std::abs(w));
  }
  const auto taken = static_cast<int64_t>(std::llround(share * static_cast<double>(magnitudes.size())));
  if (taken == 0) return;
  std::nth_element(magnitudes.begin(), magnitudes.begin() + (taken - 1), magnitudes.end());
  const float bound = magnitudes[static_cast<size_t>(taken - 1)];
  int64_t left = taken;  // ties are taken in order
  for (size_t i = 0; i < weights.size(); ++i) {
    for (size_t j = 0; j < kept[i]->size(); ++j) left -= std::abs(weights[i]->data()[j]) < bound;
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    for (size_t j = 0; j < kept[i]->size(); ++j) {
      const float magnitude = std::abs(weights[i]->data()[j]);
      (*kept[i])[j] = magnitude > bound || (magnitude == bound && left-- <= 0);
    }
  }
}

void Pruning::choose(double part) {
  std::vector<std::vector<uint8_t>*> kept;
  std::vector<const Tensor*> weights;
  for (size_t i = 0; i < layers_.size(); ++i) {
    kept.push_back(&kept_[i]);
    weights.push_back(&layers_[i].layer->weight);
  }
  if (target_.kind == Target::Kind::n_of_m) {
    // While they become fewer, so many of each group as the part comes to.
    const auto zeros = static_cast<int64_t>(std::llround(part * static_cast<double>(target_.m - target_.n)));
    std::vector<int64_t> order(static_cast<size_t>(target_.m));
    for (size_t i = 0; i < layers_.size(); ++i) {
      const float* w = weights[i]->data();
      for (int64_t g = 0; g < weights[i]->numel(); g += target_.m) {
        std::iota(order.begin(), order.end(), g);
        std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return std::abs(w[a]) < std::abs(w[b]); });
        for (int64_t j = 0; j < target_.m; ++j) kept_[i][static_cast<size_t>(order[static_cast<size_t>(j)])] = j >= zeros;
      }
    }
  } else if (scope_ == Scope::global) {
    choose_smallest(kept, weights, part * target_.share);
  } else {
    for (size_t i = 0; i < layers_.size(); ++i) {
      std::vector<std::vector<uint8_t>*> one = {kept[i]};
      choose_smallest(one, {weights[i]}, part * target_.share);
    }
  }
}

void Pruning::apply() {
  for (size_t i = 0; i < layers_.size(); ++i) {
    float* w = layers_[i].layer->weight.mutable_data();
    for (size_t j = 0; j < kept_[i].size(); ++j) w[j] = kept_[i][j] != 0 ? w[j] : 0.0f;
  }
}

double Pruning::sparsity() const {
  double zeros = 0, all = 0;
  for (const NamedLayer& l : layers_) {
    zeros += static_cast<double>(std::count(l.layer->weight.span().begin(), l.layer->weight.span().end(), 0.0f));
    all += static_cast<double>(l.layer->weight.numel());
  }
  return zeros / all;
}

double cubic_schedule(double done) { return 1 - std::pow(1 - std::clamp(done, 0.0, 1.0), 3); }

void to_sparse(nn::Module& model) {
  for (const NamedLayer& l : weighted_layers(model)) {
    const Tensor& weight = l.layer->weight;
    const auto filled = weight.numel() - std::count(weight.span().begin(), weight.span().end(), 0.0f);
    if (32 * filled + weight.numel() < 32 * weight.numel()) l.layer->set_compact_weight(std::make_shared<nn::SparseWeight>(weight));
  }
  plan_again(model);
}

}  // namespace danlu::compress
