// Reference normalisation. weight and bias may be empty: then 1 and 0.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace danlu::kernels::reference {

template <class T>
struct Moments {
  T mean, variance;  // biased
};

template <class T>
Moments<T> moments(const std::vector<T>& x) {
  T mean(0), variance(0);
  for (const T value : x) mean += value / T(x.size());
  for (const T value : x) variance += (value - mean) * (value - mean) / T(x.size());
  return {mean, variance};
}

// Moments of the elements with each label: labels number the sets over which statistics are taken.
template <class T, class Label>
std::vector<Moments<T>> moments_by(const std::vector<T>& x, int64_t labels, const Label& label_of) {
  std::vector<std::vector<T>> sets(static_cast<size_t>(labels));
  for (size_t i = 0; i < x.size(); ++i) sets[static_cast<size_t>(label_of(static_cast<int64_t>(i)))].push_back(x[i]);
  std::vector<Moments<T>> all;
  for (const std::vector<T>& set : sets) all.push_back(moments(set));
  return all;
}

// y = (x - mean) / sqrt(variance + eps) * weight + bias, the moments by label and the parameters by channel (last axis).
template <class T, class Label>
std::vector<T> normalize(const std::vector<T>& x, const std::vector<Moments<T>>& moments_of, const Label& label_of, int64_t channels,
                         const std::vector<T>& weight, const std::vector<T>& bias, T eps) {
  std::vector<T> y;
  for (size_t i = 0; i < x.size(); ++i) {
    const Moments<T>& m = moments_of[static_cast<size_t>(label_of(static_cast<int64_t>(i)))];
    const size_t c = i % static_cast<size_t>(channels);
    y.push_back((x[i] - m.mean) / std::sqrt(m.variance + eps) * (weight.empty() ? T(1) : weight[c]) + (bias.empty() ? T(0) : bias[c]));
  }
  return y;
}

template <class T, class Label>
std::vector<T> normalize_by(const std::vector<T>& x, int64_t labels, const Label& label_of, int64_t channels, const std::vector<T>& weight,
                            const std::vector<T>& bias, T eps) {
  return normalize(x, moments_by(x, labels, label_of), label_of, channels, weight, bias, eps);
}

template <class T>
std::vector<T> batch_norm(const std::vector<T>& x, int64_t channels, const std::vector<T>& weight, const std::vector<T>& bias, T eps) {
  return normalize_by(x, channels, [=](int64_t i) { return i % channels; }, channels, weight, bias, eps);
}

// With given statistics of the channels.
template <class T>
std::vector<T> batch_norm(const std::vector<T>& x, int64_t channels, const std::vector<T>& weight, const std::vector<T>& bias,
                          const std::vector<T>& mean, const std::vector<T>& variance, T eps) {
  std::vector<Moments<T>> all;
  for (size_t c = 0; c < mean.size(); ++c) all.push_back({mean[c], variance[c]});
  return normalize(x, all, [=](int64_t i) { return i % channels; }, channels, weight, bias, eps);
}

// x (images, pixels, channels)
template <class T>
std::vector<T> group_norm(const std::vector<T>& x, int64_t images, int64_t channels, int64_t groups, const std::vector<T>& weight,
                          const std::vector<T>& bias, T eps) {
  const int64_t image = images > 0 ? static_cast<int64_t>(x.size()) / images : 0;
  const auto label_of = [=](int64_t i) { return i / image * groups + i % channels / (channels / groups); };
  return normalize_by(x, images * groups, label_of, channels, weight, bias, eps);
}

template <class T>
std::vector<T> layer_norm(const std::vector<T>& x, int64_t channels, const std::vector<T>& weight, const std::vector<T>& bias, T eps) {
  std::vector<T> y;
  for (size_t row = 0; row < x.size(); row += static_cast<size_t>(channels)) {
    const auto first = x.begin() + static_cast<int64_t>(row);
    const std::vector<T> values(first, first + channels);
    for (const T value : normalize(values, {moments(values)}, [](int64_t) { return 0; }, channels, weight, bias, eps)) y.push_back(value);
  }
  return y;
}

template <class T>
std::vector<T> rms_norm(const std::vector<T>& x, int64_t channels, const std::vector<T>& weight, T eps) {
  std::vector<T> y;
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t c = i % static_cast<size_t>(channels);
    T squares(0);
    for (size_t j = i - c; j < i - c + static_cast<size_t>(channels); ++j) squares += x[j] * x[j];
    y.push_back(x[i] / std::sqrt(squares / T(channels) + eps) * (weight.empty() ? T(1) : weight[c]));
  }
  return y;
}

// The weight over u W v, after u and v were moved towards the vectors of its largest singular value.
template <class T>
std::vector<T> spectral_norm(const std::vector<T>& weight, std::vector<T> u, std::vector<T> v, int64_t iterations) {
  const auto normalize = [](std::vector<T>& x) {
    T total(0);
    for (const T value : x) total += value * value;
    for (T& value : x) value /= std::sqrt(total);
  };
  const auto times = [&](const std::vector<T>& x, size_t outputs, bool transposed) {
    std::vector<T> y(outputs, T(0));
    for (size_t i = 0; i < u.size(); ++i) {
      for (size_t j = 0; j < v.size(); ++j) y[transposed ? j : i] += weight[i * v.size() + j] * x[transposed ? i : j];
    }
    return y;
  };
  for (int64_t i = 0; i < iterations; ++i) {
    u = times(v, u.size(), false);
    normalize(u);
    v = times(u, v.size(), true);
    normalize(v);
  }
  T sigma(0);
  const std::vector<T> wv = times(v, u.size(), false);
  for (size_t i = 0; i < u.size(); ++i) sigma += u[i] * wv[i];
  std::vector<T> y;
  for (const T value : weight) y.push_back(value / sigma);
  return y;
}

}  // namespace danlu::kernels::reference
