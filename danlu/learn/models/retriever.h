// Questions and passages into one space, where a question lies near what answers it.
//
//   tokens i64 (N, T), padded with 0    any model that reads text, its outputs brought to unit length: (N, dimension)
//
// One network for both: what a question and its answer have in common are words and their neighbours. How near two texts are is the cosine
// of their vectors, their product.
// Source    Reimers, Gurevych 2019, arXiv:1908.10084; Karpukhin et al. 2020, arXiv:2004.04906.
#pragma once

#include <memory>

#include "danlu/base/options.h"
#include "danlu/learn/nn/module.h"

namespace danlu::models {

struct RetrieverOptions {
  Json encoder = "bag_of_tokens";  // a model that reads text
  int64_t dimension = 128;
  void describe(OptionVisitor& v);
};

class Retriever : public nn::Module {
 public:
  // `encoder` maps tokens to (N, dimension).
  explicit Retriever(std::unique_ptr<nn::Module> encoder);
  // Unit vectors (N, dimension).
  Tensor forward(const Tensor& ids) override;
  std::string describe() const override;

 private:
  std::shared_ptr<nn::Module> encoder_;
};

// Throws ConfigError for an encoder that reads no text.
void check_retriever(const RetrieverOptions& options, const Locate& locate = {}, const std::string& prefix = "model");
// Every option of {"type": "retriever", ...}, those of its encoder included. Throws ConfigError.
Json resolve_retriever(const Json& json, const Locate& locate = {}, const std::string& prefix = "model");
// For texts of at most `length` tokens of `vocabulary` kinds, padding among them. Weights from the generator of manual_seed.
std::unique_ptr<Retriever> make_retriever(const Json& json, int64_t vocabulary, int64_t length);

}  // namespace danlu::models
