#include "danlu/eval/language.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::eval {
namespace {

constexpr const char* kWhere = "eval.language";

// -log softmax(row)[target]
double surprise(std::span<const float> row, size_t target, float largest) {
  double sum = 0;
  for (const float x : row) sum += std::exp(static_cast<double>(x - largest));
  return std::log(sum) + static_cast<double>(largest) - static_cast<double>(row[target]);
}

}  // namespace

void LanguageScore::add(std::span<const float> logits, std::span<const int64_t> targets, int64_t vocab_size) {
  const auto width = static_cast<size_t>(vocab_size);
  if (logits.size() != targets.size() * width) {
    throw ShapeError(kWhere, fmt::format("got {} logits for {} targets; expected {} each", logits.size(), targets.size(), vocab_size));
  }
  for (size_t i = 0; i < targets.size(); ++i) {
    if (targets[i] < 0) continue;
    if (targets[i] >= vocab_size) throw ShapeError(kWhere, fmt::format("got target {}; expected below {}", targets[i], vocab_size));
    const auto row = logits.subspan(i * width, width);
    const auto largest = std::max_element(row.begin(), row.end());
    nats += surprise(row, static_cast<size_t>(targets[i]), *largest);
    correct += largest - row.begin() == targets[i];
    ++tokens;
  }
}

LanguageScore& LanguageScore::operator+=(const LanguageScore& other) {
  nats += other.nats;
  tokens += other.tokens;
  correct += other.correct;
  return *this;
}

LanguageReport summarize(std::span<const LanguageScore> windows, int64_t bytes, const BootstrapOptions& options) {
  LanguageScore total;
  for (const LanguageScore& window : windows) total += window;
  if (total.tokens == 0) throw DataError(kWhere, "got a text without a token to foretell; expected at least one");
  LanguageReport report;
  report.tokens = total.tokens;
  report.bytes = bytes;
  report.loss = total.nats / static_cast<double>(total.tokens);
  report.perplexity = std::exp(report.loss);
  report.bits_per_byte = bytes > 0 ? total.nats / std::log(2.0) / static_cast<double>(bytes) : 0;
  report.token_accuracy = static_cast<double>(total.correct) / static_cast<double>(total.tokens);
  const Statistic loss = [&](Counts counts) {
    double nats = 0, tokens = 0;
    for (size_t i = 0; i < windows.size(); ++i) {
      const auto count = static_cast<double>(count_of(counts, i));
      nats += count * windows[i].nats;
      tokens += count * static_cast<double>(windows[i].tokens);
    }
    return nats / tokens;
  };
  report.loss_interval = bootstrap_interval(static_cast<int64_t>(windows.size()), loss, options);
  return report;
}

Json to_json(const LanguageReport& r) {
  return {{"metrics",
           {{"loss", {{"value", r.loss}, {"better", "lower"}, {"interval", {r.loss_interval.low, r.loss_interval.high}}}},
            {"perplexity",
             {{"value", r.perplexity}, {"better", "lower"}, {"interval", {std::exp(r.loss_interval.low), std::exp(r.loss_interval.high)}}}},
            {"bits_per_byte", {{"value", r.bits_per_byte}, {"better", "lower"}}},
            {"token_accuracy", {{"value", r.token_accuracy}, {"better", "higher"}}}}},
          {"tokens", r.tokens},
          {"bytes", r.bytes}};
}

std::string to_text(const LanguageReport& r) {
  return fmt::format(
      "loss            {:.4f}   95 % interval {:.4f} to {:.4f}, nats a token\n"
      "perplexity      {:.2f}   {:.2f} to {:.2f}\n"
      "bits per byte   {:.4f}\n"
      "token accuracy  {:.4f}\n"
      "{} tokens, {} bytes\n",
      r.loss, r.loss_interval.low, r.loss_interval.high, r.perplexity, std::exp(r.loss_interval.low), std::exp(r.loss_interval.high),
      r.bits_per_byte, r.token_accuracy, r.tokens, r.bytes);
}

}  // namespace danlu::eval
