#include "danlu/learn/models/model.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/learn/models/cnn.h"
#include "danlu/learn/models/encoder.h"
#include "danlu/learn/models/gpt.h"
#include "danlu/learn/models/logistic.h"
#include "danlu/learn/models/mlp.h"
#include "danlu/learn/models/recurrent.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::models {
namespace {

template <class Options>
ModelConfig configure(const TypedOptions& typed, const Options& options,
                      std::unique_ptr<nn::Module> (*make)(const Options&, const Shape&, int64_t)) {
  Json resolved = {{"type", typed.type}};
  resolved.update(write_options(options));
  return {typed.type, resolved, [options, make](const Shape& input, int64_t outputs) { return make(options, input, outputs); }};
}

}  // namespace

const std::vector<std::string>& model_types() {
  static const std::vector<std::string> kTypes = {"logistic", "mlp", "cnn", "rnn", "lstm", "gru", "encoder", "gpt"};
  return kTypes;
}

bool reads_text(const std::string& type) { return type == "rnn" || type == "lstm" || type == "gru" || type == "encoder"; }

// A new model: its file, and a line in the two functions above and below.
ModelConfig parse_model(const Json& json, const Locate& locate, const std::string& prefix) {
  const TypedOptions typed = split_type(json, model_types(), "mlp", locate, prefix);
  if (typed.type == "logistic") {
    LogisticOptions options;
    read_options(typed.options, options, locate, prefix);
    return configure(typed, options, make_logistic);
  }
  if (typed.type == "cnn") {
    CnnOptions options;
    read_options(typed.options, options, locate, prefix);
    check_cnn(options, locate, prefix);
    return configure(typed, options, make_cnn);
  }
  if (typed.type == "rnn" || typed.type == "lstm" || typed.type == "gru") {
    RecurrentOptions options;
    read_options(typed.options, options, locate, prefix);
    return configure(typed, options, typed.type == "rnn" ? make_rnn : typed.type == "lstm" ? make_lstm : make_gru);
  }
  if (typed.type == "encoder") {
    EncoderOptions options;
    read_options(typed.options, options, locate, prefix);
    check_encoder(options, locate, prefix);
    return configure(typed, options, make_encoder);
  }
  if (typed.type == "gpt") {
    GptOptions options;
    read_options(typed.options, options, locate, prefix);
    check_gpt(options, locate, prefix);
    return configure<GptOptions>(typed, options, [](const GptOptions& o, const Shape&, int64_t vocab_size) -> std::unique_ptr<nn::Module> {
      return make_gpt(o, vocab_size);
    });
  }
  MlpOptions options;
  read_options(typed.options, options, locate, prefix);
  return configure(typed, options, make_mlp);
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
