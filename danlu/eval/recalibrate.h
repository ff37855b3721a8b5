// Two numbers that logits go through before they become probabilities, so that those keep what they promise. Fitted on samples that
// the model has not learnt from; the order of the answers stays as it is.
//
//   z' = scale z + offset     two classes, z the logit of class 1     Platt 1999, with the targets of Lin, Lin, Weng 2007
//   z' = scale z              more classes: a temperature of 1/scale  Guo et al. 2017, arXiv:1706.04599
#pragma once

#include <cstdint>
#include <span>

namespace danlu::eval {

struct LogitScale {
  double scale = 1;   // > 0
  double offset = 0;  // two classes only
};

// labels 0 or 1, a logit for each. Throws ShapeError if the sizes differ, DataError unless there are samples of both classes.
LogitScale fit_platt(std::span<const int64_t> labels, std::span<const float> logits);

// logits: N x classes, row-major. Throws ShapeError if the sizes do not fit, DataError if there is no sample.
LogitScale fit_temperature(std::span<const int64_t> labels, std::span<const float> logits, int64_t classes);

// The mean of -ln p(label), with p from the scaled logits; classes = 1: the one logit is that of class 1 of two.
double scaled_log_loss(std::span<const int64_t> labels, std::span<const float> logits, int64_t classes, const LogitScale& scale);

// Whether a fit helps on samples that it was not made of: `folds`-fold over the samples, by their order. The mean loss without less the mean loss
// with; above 0 it helps. NaN where a fold cannot be fitted.
double cross_fitted_gain(std::span<const int64_t> labels, std::span<const float> logits, int64_t classes, int64_t folds = 5);

}  // namespace danlu::eval
