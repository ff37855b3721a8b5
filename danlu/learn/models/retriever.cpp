#include "danlu/learn/models/retriever.h"

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/norm.h"
#include "danlu/learn/models/model.h"

namespace danlu::models {
namespace {

constexpr const char* kWhere = "learn.retriever";

RetrieverOptions read(const Json& json, const Locate& locate, const std::string& prefix) {
  RetrieverOptions options;
  read_options(split_type(json, {"retriever"}, "retriever", locate, prefix).options, options, locate, prefix);
  check_retriever(options, locate, prefix);
  return options;
}

}  // namespace

void RetrieverOptions::describe(OptionVisitor& v) {
  v.field("encoder", encoder, "the model that reads a text: bag_of_tokens, encoder, lstm, gru or rnn; a group {type, ...} to set its options");
  v.field("dimension", dimension, {1, 65536}, "of the vectors that texts become");
}

Retriever::Retriever(std::unique_ptr<nn::Module> encoder) : encoder_(std::move(encoder)) { add_child("encoder", encoder_); }

Tensor Retriever::forward(const Tensor& ids) {
  const Tensor x = encoder_->forward(ids);
  return rms_norm(x, {}, 1e-12f) / std::sqrt(static_cast<float>(x.size(-1)));
}

std::string Retriever::describe() const { return fmt::format("Retriever({})", encoder_->describe()); }

void check_retriever(const RetrieverOptions& options, const Locate& locate, const std::string& prefix) {
  const ModelConfig encoder = parse_model(options.encoder, locate, prefix + ".encoder");
  if (reads_text(encoder.type) && !reads_ngrams(encoder.type)) return;
  const std::string path = prefix + ".encoder", place = locate ? locate(path) : "";
  throw ConfigError(kWhere, fmt::format("{}{}{}: got {}; expected a model that reads text: bag_of_tokens, encoder, lstm, gru or rnn", place, place.empty() ? "" : ": ", path, encoder.type));
}

Json resolve_retriever(const Json& json, const Locate& locate, const std::string& prefix) {
  RetrieverOptions options = read(json, locate, prefix);
  options.encoder = parse_model(options.encoder).resolved;
  Json resolved = {{"type", "retriever"}};
  resolved.update(write_options(options));
  return resolved;
}

std::unique_ptr<Retriever> make_retriever(const Json& json, int64_t vocabulary, int64_t length) {
  RetrieverOptions options = read(json, {}, "model");
  Json encoder = parse_model(options.encoder).resolved;
  encoder["vocab_size"] = vocabulary;
  return std::make_unique<Retriever>(parse_model(encoder).make({length}, options.dimension));
}

}  // namespace danlu::models
