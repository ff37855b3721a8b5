#include "danlu/learn/models/model.h"

#include <algorithm>
#include <type_traits>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/learn/models/autoencoder.h"
#include "danlu/learn/models/bag_of_ngrams.h"
#include "danlu/learn/models/bag_of_tokens.h"
#include "danlu/learn/models/cnn.h"
#include "danlu/learn/models/encoder.h"
#include "danlu/learn/models/gan.h"
#include "danlu/learn/models/gpt.h"
#include "danlu/learn/models/kmeans.h"
#include "danlu/learn/models/logistic.h"
#include "danlu/learn/models/masked_encoder.h"
#include "danlu/learn/models/mlp.h"
#include "danlu/learn/models/mobilenet.h"
#include "danlu/learn/models/recommender.h"
#include "danlu/learn/models/recurrent.h"
#include "danlu/learn/models/resnet.h"
#include "danlu/learn/models/retriever.h"
#include "danlu/learn/models/vgg.h"
#include "danlu/learn/models/vit.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::models {
namespace {

enum class Input : uint8_t { numbers, tokens, ngrams };

// A model that recipes can name.
struct Kind {
  std::string type;
  Input input;
  std::function<ModelConfig(const TypedOptions& typed, const Locate& locate, const std::string& prefix)> parse;
};

// From its two functions: one that makes it and, where options can contradict each other, one that checks them.
template <class Options>
Kind kind(const char* type, Input input, std::unique_ptr<nn::Module> (*make)(const Options&, const Shape&, int64_t),
          void (*check)(const std::type_identity_t<Options>&, const Locate&, const std::string&) = nullptr) {
  return {type, input, [=](const TypedOptions& typed, const Locate& locate, const std::string& prefix) {
    Options options;
    read_options(typed.options, options, locate, prefix);
    if (check != nullptr) check(options, locate, prefix);
    Json resolved = {{"type", typed.type}};
    resolved.update(write_options(options));
    return ModelConfig{typed.type, resolved, [=](const Shape& shape, int64_t outputs) { return make(options, shape, outputs); }};
  }};
}

std::unique_ptr<nn::Module> make_language_model(const GptOptions& options, const Shape&, int64_t vocab_size) { return make_gpt(options, vocab_size); }

// Recommenders are made of users and items and not of a shape: recommender.h.
Kind recommender_kind(const std::string& type) {
  return {type, Input::numbers, [=](const TypedOptions& typed, const Locate& locate, const std::string& prefix) {
    Json json = {{"type", type}};
    json.update(typed.options);
    return ModelConfig{type, parse_recommender(json, locate, prefix).resolved, [=](const Shape&, int64_t) -> std::unique_ptr<nn::Module> {
      throw ConfigError("learn.recommender", fmt::format("got the model {} for samples with a target; expected interactions of users and items", type));
    }};
  }};
}

// A retriever is made of an encoder and a tokeniser: retriever.h.
Kind retriever_kind() {
  return {"retriever", Input::numbers, [](const TypedOptions& typed, const Locate& locate, const std::string& prefix) {
    Json json = {{"type", typed.type}};
    json.update(typed.options);
    return ModelConfig{typed.type, resolve_retriever(json, locate, prefix), [](const Shape&, int64_t) -> std::unique_ptr<nn::Module> {
      throw ConfigError("learn.retriever", "got the model retriever for samples with a target; expected questions and answers: data.faq");
    }};
  }};
}

std::vector<Kind> with_recommenders(std::vector<Kind> all) {
  for (const std::string& type : recommender_types()) all.push_back(recommender_kind(type));
  return all;
}

// A new model: its file, and a line here.
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kKinds = with_recommenders({
      kind("logistic", Input::numbers, make_logistic),
      kind("mlp", Input::numbers, make_mlp),
      kind("cnn", Input::numbers, make_cnn, check_cnn),
      kind("vgg", Input::numbers, make_vgg),
      kind("resnet", Input::numbers, make_resnet),
      kind("mobilenet", Input::numbers, make_mobilenet),
      kind("vit", Input::numbers, make_vit, check_vit),
      kind("autoencoder", Input::numbers, make_autoencoder),
      kind("gan", Input::numbers, make_gan),
      kind("rnn", Input::tokens, make_rnn),
      kind("lstm", Input::tokens, make_lstm),
      kind("gru", Input::tokens, make_gru),
      kind("encoder", Input::tokens, make_encoder, check_encoder),
      kind("masked_encoder", Input::numbers, make_masked_encoder, check_encoder),
      kind("bag_of_tokens", Input::tokens, make_bag_of_tokens),
      kind("kmeans", Input::numbers, make_kmeans),
      kind("bag_of_ngrams", Input::ngrams, make_bag_of_ngrams),
      kind("gpt", Input::numbers, make_language_model, check_gpt),
      retriever_kind(),
  });
  return kKinds;
}

const Kind& kind_of(const std::string& type) {
  return *std::find_if(kinds().begin(), kinds().end(), [&](const Kind& kind) { return kind.type == type; });
}

}  // namespace

const std::vector<std::string>& model_types() {
  static const std::vector<std::string> kTypes = [] {
    std::vector<std::string> types;
    for (const Kind& kind : kinds()) types.push_back(kind.type);
    return types;
  }();
  return kTypes;
}

bool reads_text(const std::string& type) {
  return std::any_of(kinds().begin(), kinds().end(), [&](const Kind& kind) { return kind.type == type && kind.input != Input::numbers; });
}

bool reads_ngrams(const std::string& type) {
  return std::any_of(kinds().begin(), kinds().end(), [&](const Kind& kind) { return kind.type == type && kind.input == Input::ngrams; });
}

ModelConfig parse_model(const Json& json, const Locate& locate, const std::string& prefix) {
  const TypedOptions typed = split_type(json, model_types(), "mlp", locate, prefix);
  return kind_of(typed.type).parse(typed, locate, prefix);
}

std::string summary(nn::Module& model, const Shape& input) {
  const NoGrad no_grad;
  const nn::EvalMode eval(model);
  std::string text;
  if (dynamic_cast<const nn::Sequential*>(&model) == nullptr && !model.children().empty()) {
    // Not a chain: what lies between its parts is its own affair.
    for (const auto& [name, part] : model.children()) {
      text += fmt::format("{:<24} {:<44} {:>12}\n", name, part->describe(), part->num_parameters());
    }
    return model.describe() + "\n" + text + fmt::format("{} parameters\n", model.num_parameters());
  }
  text = fmt::format("{:<6} {:<44} {:>18} {:>12}\n", "layer", "what", "output", "parameters");
  Tensor x = Tensor::zeros(input.insert(0, 1));
  const auto line = [&](const std::string& name, const nn::Module& module, const Tensor& y) {
    text += fmt::format("{:<6} {:<44} {:>18} {:>12}\n", name, module.describe(),
                        Shape(y.shape().sizes().subspan(1)).str(), module.num_parameters());
  };
  if (model.children().empty()) {
    x = model.forward(x);
    line("0", model, x);
  }
  for (const auto& [name, layer] : model.children()) {
    x = layer->forward(x);
    line(name, *layer, x);
  }
  return text + fmt::format("{} parameters\n", model.num_parameters());
}

}  // namespace danlu::models
