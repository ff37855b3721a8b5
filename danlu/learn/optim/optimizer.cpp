#include "danlu/learn/optim/optimizer.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/kernels/optimizer.h"

namespace danlu::optim {
namespace {

float f(double value) { return static_cast<float>(value); }

float* at(Tensor& moment, int64_t offset) { return moment.defined() ? moment.mutable_data() + offset : nullptr; }

constexpr Range kLr{0, 1e6};
constexpr Range kDecay{0, 1e3};
constexpr Range kMemory{0, 1, true};  // at 1 an average would never move
constexpr Range kEps{0, 1};

}  // namespace

void Optimizer::step(float grad_scale) {
  ++t_;
  const float* gradients = store_.gradients().data();
  float* values = store_.values().mutable_data();
  const int64_t decayed = store_.decayed(), size = store_.size();
  for (const Part part : {Part{0, decayed, true}, Part{decayed, size, false}}) {
    if (part.begin < part.end) update(part, values + part.begin, gradients + part.begin, grad_scale);
  }
}

Tensor Optimizer::add_moment(const std::string& name) {
  Tensor moment = Tensor::zeros({store_.size()});
  moments_.emplace_back(name, moment);
  return moment;
}

void SgdOptions::describe(OptionVisitor& v) {
  v.field("lr", lr, kLr, "learning rate");
  v.field("momentum", momentum, kMemory, "fraction of the last update that is kept");
  v.field("nesterov", nesterov, "look ahead along the momentum");
  v.field("weight_decay", weight_decay, kDecay, "L2 penalty on weights, added to the gradient");
}

Sgd::Sgd(std::vector<Tensor> parameters, const SgdOptions& options) : Optimizer(std::move(parameters), options.lr), options_(options) {
  if (options_.nesterov && options_.momentum == 0) {
    throw ConfigError("learn.optim", "got nesterov: true with momentum 0; expected momentum > 0 (0.9 is usual)");
  }
  if (options_.momentum > 0) momentum_ = add_moment("momentum");
}

void Sgd::update(const Part& part, float* values, const float* gradients, float grad_scale) {
  const kernels::SgdStep s{f(lr()), grad_scale, part.decays ? f(options_.weight_decay) : 0, f(options_.momentum), options_.nesterov};
  kernels::sgd(s, values, gradients, at(momentum_, part.begin), part.end - part.begin);
}

namespace {

// The same five fields under the names of either struct.
template <class Options>
void describe_adam(Options& o, OptionVisitor& v, const char* decay_help) {
  v.field("lr", o.lr, kLr, "learning rate");
  v.field("beta1", o.beta1, kMemory, "memory of the mean of gradients");
  v.field("beta2", o.beta2, kMemory, "memory of the mean of squared gradients");
  v.field("eps", o.eps, kEps, "added to the root, against division by zero");
  v.field("weight_decay", o.weight_decay, kDecay, decay_help);
}

}  // namespace

void AdamOptions::describe(OptionVisitor& v) { describe_adam(*this, v, "L2 penalty on weights, added to the gradient"); }
void AdamWOptions::describe(OptionVisitor& v) { describe_adam(*this, v, "decay of weights, apart from the gradient"); }

Adam::Adam(std::vector<Tensor> parameters, const AdamOptions& options, bool decoupled)
    : Optimizer(std::move(parameters), options.lr), options_(options), decoupled_(decoupled) {
  first_ = add_moment("exp_avg");
  second_ = add_moment("exp_avg_sq");
}

void Adam::update(const Part& part, float* values, const float* gradients, float grad_scale) {
  const float decay = part.decays ? f(options_.weight_decay) : 0;
  const kernels::AdamStep s{f(lr()),           grad_scale,        decoupled_ ? 0 : decay, decoupled_ ? decay : 0,
                            f(options_.beta1), f(options_.beta2), f(options_.eps),        update_number()};
  kernels::adam(s, values, gradients, at(first_, part.begin), at(second_, part.begin), part.end - part.begin);
}

void AdagradOptions::describe(OptionVisitor& v) {
  v.field("lr", lr, kLr, "learning rate");
  v.field("eps", eps, kEps, "added to the root, against division by zero");
  v.field("weight_decay", weight_decay, kDecay, "L2 penalty on weights, added to the gradient");
}

Adagrad::Adagrad(std::vector<Tensor> parameters, const AdagradOptions& options)
    : Optimizer(std::move(parameters), options.lr), options_(options) {
  sum_ = add_moment("sum");
}

void Adagrad::update(const Part& part, float* values, const float* gradients, float grad_scale) {
  const kernels::AdagradStep s{f(lr()), grad_scale, part.decays ? f(options_.weight_decay) : 0, f(options_.eps)};
  kernels::adagrad(s, values, gradients, at(sum_, part.begin), part.end - part.begin);
}

void RmspropOptions::describe(OptionVisitor& v) {
  v.field("lr", lr, kLr, "learning rate");
  v.field("alpha", alpha, kMemory, "memory of the mean of squared gradients");
  v.field("eps", eps, kEps, "added to the root, against division by zero");
  v.field("momentum", momentum, kMemory, "fraction of the last update that is kept");
  v.field("weight_decay", weight_decay, kDecay, "L2 penalty on weights, added to the gradient");
}

Rmsprop::Rmsprop(std::vector<Tensor> parameters, const RmspropOptions& options)
    : Optimizer(std::move(parameters), options.lr), options_(options) {
  square_ = add_moment("square_avg");
  if (options_.momentum > 0) momentum_ = add_moment("momentum");
}

void Rmsprop::update(const Part& part, float* values, const float* gradients, float grad_scale) {
  const kernels::RmspropStep s{f(lr()),           grad_scale,      part.decays ? f(options_.weight_decay) : 0,
                               f(options_.alpha), f(options_.eps), f(options_.momentum)};
  kernels::rmsprop(s, values, gradients, at(square_, part.begin), at(momentum_, part.begin), part.end - part.begin);
}

namespace {

template <class OptimizerType, class Options>
OptimizerConfig parse_as(const std::string& type, const Json& options_json, const Locate& locate, const std::string& prefix, Options options) {
  read_options(options_json, options, locate, prefix);
  Json resolved = {{"type", type}};
  resolved.update(write_options(options));
  return {type, resolved, [options](std::vector<Tensor> parameters) -> std::unique_ptr<Optimizer> {
            return std::make_unique<OptimizerType>(std::move(parameters), options);
          }};
}

}  // namespace

OptimizerConfig parse_optimizer(const Json& json, const Locate& locate, const std::string& prefix) {
  static const std::vector<std::string> kTypes = {"sgd", "adam", "adamw", "adagrad", "rmsprop"};
  const auto [type, options] = split_type(json, kTypes, "adamw", locate, prefix);
  if (type == "sgd") return parse_as<Sgd>(type, options, locate, prefix, SgdOptions());
  if (type == "adam") return parse_as<Adam>(type, options, locate, prefix, AdamOptions());
  if (type == "adagrad") return parse_as<Adagrad>(type, options, locate, prefix, AdagradOptions());
  if (type == "rmsprop") return parse_as<Rmsprop>(type, options, locate, prefix, RmspropOptions());
  return parse_as<AdamW>(type, options, locate, prefix, AdamWOptions());
}

}  // namespace danlu::optim
