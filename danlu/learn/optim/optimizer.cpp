#include "danlu/learn/optim/optimizer.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"
#include "danlu/engine/kernels/optimizer.h"

namespace danlu::optim {
namespace {

float f(double value) { return static_cast<float>(value); }

// A step divides every part of the parameters into so many shares, each of a multiple of 64 bytes.
constexpr int64_t kShares = 64;
constexpr int64_t kAlignment = 16;
constexpr int64_t kThreadElements = 1 << 13;  // below which another thread costs more than it gains

int64_t share(const ParameterStore::Part& part, int64_t index) {
  return part.begin + (part.end - part.begin) / kAlignment * index / kShares * kAlignment;
}

constexpr Range kLr{0, 1e6};
constexpr Range kDecay{0, 1e3};
constexpr Range kMemory{0, 1, true};  // at 1 an average would never move
constexpr Range kEps{0, 1};

}  // namespace

void Optimizer::step(float grad_scale) {
  ++t_;
  const float* gradients = store_.gradients().data();
  float* values = store_.values().mutable_data();
  std::array<float*, 2> moments{};
  for (size_t i = 0; i < moments_.size(); ++i) moments[i] = moments_[i].second.mutable_data();
  const int64_t grain = std::max<int64_t>(1, kShares * kThreadElements / std::max<int64_t>(store_.size(), 1));
  parallel_for(kShares, grain, [&](int64_t first, int64_t last) {
    for (const ParameterStore::Part& part : store_.parts()) {
      const int64_t begin = share(part, first), end = share(part, last);
      const auto at = [&](float* moment) { return moment == nullptr ? nullptr : moment + begin; };
      if (begin < end) update({end - begin, values + begin, gradients + begin, {at(moments[0]), at(moments[1])},
                                f(lr_) * part.lr_scale, grad_scale, part.decays});
    }
  });
}

void Optimizer::add_moment(const std::string& name) { moments_.emplace_back(name, Tensor::zeros({store_.size()})); }

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
  if (options_.momentum > 0) add_moment("momentum");
}

void Sgd::update(const Slice& s) const {
  const float decay = s.decays ? f(options_.weight_decay) : 0;
  kernels::sgd({s.lr, s.grad_scale, decay, f(options_.momentum), options_.nesterov}, s.values, s.gradients, s.moments[0], s.size);
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
  add_moment("exp_avg");
  add_moment("exp_avg_sq");
}

void Adam::update(const Slice& s) const {
  const float decay = s.decays ? f(options_.weight_decay) : 0;
  const kernels::AdamStep step{s.lr,              s.grad_scale,      decoupled_ ? 0 : decay, decoupled_ ? decay : 0,
                               f(options_.beta1), f(options_.beta2), f(options_.eps),        num_steps()};
  kernels::adam(step, s.values, s.gradients, s.moments[0], s.moments[1], s.size);
}

void AdagradOptions::describe(OptionVisitor& v) {
  v.field("lr", lr, kLr, "learning rate");
  v.field("eps", eps, kEps, "added to the root, against division by zero");
  v.field("weight_decay", weight_decay, kDecay, "L2 penalty on weights, added to the gradient");
}

Adagrad::Adagrad(std::vector<Tensor> parameters, const AdagradOptions& options)
    : Optimizer(std::move(parameters), options.lr), options_(options) {
  add_moment("sum");
}

void Adagrad::update(const Slice& s) const {
  const float decay = s.decays ? f(options_.weight_decay) : 0;
  kernels::adagrad({s.lr, s.grad_scale, decay, f(options_.eps)}, s.values, s.gradients, s.moments[0], s.size);
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
  add_moment("square_avg");
  if (options_.momentum > 0) add_moment("momentum");
}

void Rmsprop::update(const Slice& s) const {
  const float decay = s.decays ? f(options_.weight_decay) : 0;
  const kernels::RmspropStep step{s.lr, s.grad_scale, decay, f(options_.alpha), f(options_.eps), f(options_.momentum)};
  kernels::rmsprop(step, s.values, s.gradients, s.moments[0], s.moments[1], s.size);
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
