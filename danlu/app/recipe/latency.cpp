#include "danlu/app/recipe/latency.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/timer.h"
#include "danlu/infer/generator.h"

namespace danlu::app {

Json percentiles(std::vector<double> seconds) {
  if (seconds.empty()) return nullptr;
  std::sort(seconds.begin(), seconds.end());
  const auto at = [&](double part) {
    const auto rank = static_cast<size_t>(std::ceil(part * static_cast<double>(seconds.size())));
    return 1e3 * seconds[std::max<size_t>(rank, 1) - 1];
  };
  return {{"p50_ms", at(0.5)}, {"p95_ms", at(0.95)}, {"p99_ms", at(0.99)}, {"count", seconds.size()}};
}

SingleAnswers time_single_answers(size_t questions, const std::function<void(size_t question)>& answer) {
  constexpr size_t kAnswers = 300;
  constexpr double kSeconds = 0.5;
  SingleAnswers answers;
  answer(0);  // the first one prepares what the others use
  const Timer whole;
  const CpuTimer cpu;
  for (size_t i = 0; i < kAnswers && whole.seconds() < kSeconds; ++i) {
    const Timer timer;
    answer(i % questions);
    answers.seconds.push_back(timer.seconds());
  }
  answers.effort = {whole.seconds(), cpu.seconds()};
  return answers;
}

SingleAnswers time_single_answers(const DataSource& source, infer::Predictor& predictor, std::span<const int64_t> samples) {
  return time_single_answers(samples.size(), [&](size_t i) { source.predict(predictor, samples.subspan(i, 1)); });
}

GenerationTimes time_generation(std::shared_ptr<infer::LanguageModel> model, const std::vector<data::TokenId>& text) {
  constexpr size_t kPrompt = 32, kRequests = 32;
  constexpr int64_t kTokens = 32;
  constexpr double kSeconds = 2;
  const size_t prompt = std::min(kPrompt, static_cast<size_t>(std::max<int64_t>(1, model->network->options().context / 2)));
  infer::Generator generator(std::move(model));
  std::vector<double> first, next;
  GenerationTimes times;
  const Timer whole;
  for (size_t request = 0; request < kRequests && (request + 1) * prompt <= text.size() && whole.seconds() < kSeconds; ++request) {
    const auto begin = text.begin() + static_cast<std::ptrdiff_t>(request * prompt);
    infer::GenerationRequest r{.prompt = {begin, begin + static_cast<std::ptrdiff_t>(prompt)}, .max_tokens = 1, .ignore_eos = true};
    Timer timer;
    infer::generate(generator, r);
    const double to_first = timer.seconds();
    if (request > 0) first.push_back(to_first);  // the very first one prepares what the others use
    r.max_tokens = kTokens;
    timer.reset();
    const CpuTimer cpu;
    const auto made = static_cast<double>(infer::generate(generator, std::move(r)).tokens.size());
    if (made <= 1) continue;
    next.push_back(timer.seconds() / made);  // the prompt is known by now
    times.tokens += made;
    times.effort.seconds += timer.seconds();
    times.effort.cpu_seconds += cpu.seconds();
  }
  times.latency = {{"first token", percentiles(std::move(first))}, {"next token", percentiles(std::move(next))}};
  return times;
}

}  // namespace danlu::app
