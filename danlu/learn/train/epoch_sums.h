// What an epoch has summed up so far, for its means.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "danlu/base/json.h"

namespace danlu::train {

struct EpochSums {
  double loss = 0, norm = 0;
  int64_t terms = 0, updates = 0;
  std::optional<int64_t> correct;  // absent where there are no classes
  std::map<std::string, double> others;  // further losses, by name

  void add(double mean_loss, std::optional<int64_t> batch_correct, int64_t batch_terms) {
    loss += mean_loss * static_cast<double>(batch_terms);
    terms += batch_terms;
    if (batch_correct) correct = correct.value_or(0) + *batch_correct;
  }
  void add_update(double gradient_norm) {
    norm += gradient_norm;
    ++updates;
  }
  void add_other(const std::string& name, double mean_loss, int64_t batch_terms) { others[name] += mean_loss * static_cast<double>(batch_terms); }
  double mean_loss() const { return terms > 0 ? loss / static_cast<double>(terms) : 0; }
  std::optional<double> accuracy() const {
    if (!correct || terms == 0) return std::nullopt;
    return static_cast<double>(*correct) / static_cast<double>(terms);
  }
  std::map<std::string, double> mean_others() const {
    std::map<std::string, double> means;
    for (const auto& [name, sum] : others) means[name] = terms > 0 ? sum / static_cast<double>(terms) : 0;
    return means;
  }
  double mean_norm() const { return updates > 0 ? norm / static_cast<double>(updates) : 0; }

  Json to_json() const {
    return {{"loss", loss}, {"norm", norm}, {"terms", terms}, {"updates", updates}, {"correct", correct ? Json(*correct) : Json(nullptr)},
            {"others", others}};
  }
  static EpochSums from_json(const Json& json) {
    EpochSums sums;
    sums.loss = json.at("loss").get<double>();
    sums.norm = json.at("norm").get<double>();
    sums.terms = json.at("terms").get<int64_t>();
    sums.updates = json.at("updates").get<int64_t>();
    if (!json.at("correct").is_null()) sums.correct = json.at("correct").get<int64_t>();
    sums.others = json.at("others").get<std::map<std::string, double>>();
    return sums;
  }
};

}  // namespace danlu::train
