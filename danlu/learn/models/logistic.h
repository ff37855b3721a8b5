// Logistic regression (one output), softmax regression (several) and linear regression (a number): one linear layer on the
// raw features, which a loss from logits turns into what its name says.
#pragma once

#include <memory>

#include "danlu/base/options.h"
#include "danlu/learn/nn/module.h"

namespace danlu::models {

struct LogisticOptions {
  void describe(OptionVisitor&) {}
};

std::unique_ptr<nn::Module> make_logistic(const LogisticOptions& options, const Shape& input, int64_t outputs);

}  // namespace danlu::models
