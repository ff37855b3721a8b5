#include "danlu/app/recipe/multiple_choice.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/infer/likelihood.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.evaluate";

struct Question {
  std::string query;
  std::vector<std::string> choices;
  size_t gold = 0;
};

Question parse_question(const std::string& line, const std::string& place) {
  const Json json = parse_json(line, place);
  Question question;
  try {
    question.query = json.at("query").get<std::string>();
    question.choices = json.at("choices").get<std::vector<std::string>>();
    const auto gold = json.at("gold").get<int64_t>();
    if (question.choices.size() < 2 || gold < 0 || gold >= static_cast<int64_t>(question.choices.size())) {
      throw DataError(kWhere, fmt::format("{}: got {} choices and gold {}; expected at least two, and the number of one of them",
                                          place, question.choices.size(), gold));
    }
    question.gold = static_cast<size_t>(gold);
  } catch (const Json::exception& error) {
    throw DataError(kWhere, fmt::format("{}: {}; expected {{\"query\": text, \"choices\": [text, ...], \"gold\": number}}", place, error.what()));
  }
  return question;
}

std::vector<Question> read_questions(const fs::path& path) {
  std::vector<Question> questions;
  const std::string text = read_file(path);
  size_t line_number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    ++line_number;
    begin = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    questions.push_back(parse_question(line, fmt::format("{}:{}", path.string(), line_number)));
  }
  if (questions.empty()) throw DataError(kWhere, fmt::format("{}: got no question; expected one a line", path.string()));
  return questions;
}

// The first of the largest.
size_t best_of(std::span<const double> scores) { return static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin()); }

}  // namespace

MultipleChoiceResult run_multiple_choice(infer::Generator& generator, const fs::path& task) {
  const std::vector<Question> questions = read_questions(task);
  std::vector<infer::ContinuationRequest> requests;
  for (const Question& question : questions) {
    for (const std::string& choice : question.choices) requests.push_back({question.query, " " + choice});
  }
  const std::vector<infer::Likelihood> scores = infer::likelihoods(generator, requests);

  std::vector<double> right, right_norm;
  size_t at = 0;
  for (const Question& question : questions) {
    std::vector<double> sums, by_byte;
    for (const std::string& choice : question.choices) {
      sums.push_back(scores[at].logprob);
      by_byte.push_back(scores[at].logprob / static_cast<double>(std::max<size_t>(choice.size(), 1)));
      ++at;
    }
    right.push_back(best_of(sums) == question.gold ? 1 : 0);
    right_norm.push_back(best_of(by_byte) == question.gold ? 1 : 0);
  }
  const auto n = static_cast<int64_t>(questions.size());
  const std::vector<eval::Statistic> statistics = {[&](eval::Counts counts) { return eval::mean(right, counts); },
                                                   [&](eval::Counts counts) { return eval::mean(right_norm, counts); }};
  const std::vector<eval::Interval> intervals = eval::bootstrap_intervals(n, statistics);
  return {task.stem().string(), n, eval::mean(right), eval::mean(right_norm), intervals[0], intervals[1]};
}

Json to_json(const MultipleChoiceResult& r) {
  return {{"task", r.task},
          {"questions", r.questions},
          {"accuracy", {{"value", r.accuracy}, {"interval", {r.accuracy_interval.low, r.accuracy_interval.high}}}},
          {"accuracy_norm", {{"value", r.accuracy_norm}, {"interval", {r.accuracy_norm_interval.low, r.accuracy_norm_interval.high}}}}};
}

std::string to_text(const MultipleChoiceResult& r) {
  return fmt::format(
      "{}: {} questions\n"
      "accuracy                  {:.4f}   95 % interval {:.4f} to {:.4f}\n"
      "accuracy, by byte         {:.4f}   {:.4f} to {:.4f}\n",
      r.task, r.questions, r.accuracy, r.accuracy_interval.low, r.accuracy_interval.high, r.accuracy_norm, r.accuracy_norm_interval.low,
      r.accuracy_norm_interval.high);
}

}  // namespace danlu::app
