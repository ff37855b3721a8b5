// From bundle to numbers: the test split by centres that come from disk, and what each cluster is like.
#include <algorithm>
#include <cmath>

#include "danlu/app/recipe/cluster_pipeline.h"
#include "danlu/app/recipe/interval_name.h"
#include "danlu/app/recipe/latency.h"
#include "danlu/base/base64.h"
#include "danlu/base/format.h"
#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/base/timer.h"
#include "danlu/data/image/decode.h"
#include "danlu/data/image/preprocess.h"
#include "danlu/data/table/preprocessor.h"
#include "danlu/data/table/values.h"
#include "danlu/eval/bootstrap.h"
#include "danlu/eval/clustering.h"
#include "danlu/eval/measure_json.h"
#include "danlu/eval/text_table.h"
#include "danlu/learn/train/fit_kmeans.h"

namespace danlu::app {
namespace {

constexpr size_t kSilhouettes = 4000;  // test samples at most: distances of all pairs are needed
constexpr size_t kShownColumns = 8;    // of a cluster, those that tell it apart most

// A measure that is a mean over samples, with its interval.
Json mean_metric(const std::vector<double>& values, const char* better, const eval::BootstrapOptions& options) {
  const eval::Statistic statistic = [&](eval::Counts counts) { return eval::mean(values, counts); };
  return eval::measure_json(statistic({}), better, eval::bootstrap_interval(std::ssize(values), statistic, options));
}

double distance(const float* a, const float* b, int64_t width) {
  double sum = 0;
  for (int64_t f = 0; f < width; ++f) sum += std::pow(static_cast<double>(a[f]) - static_cast<double>(b[f]), 2);
  return std::sqrt(sum);
}

std::string rounded(const std::string& cell) {
  const auto number = data::parse_number(cell);
  return number ? fmt::format("{:.4g}", *number) : cell;
}

// Columns of a row of features, as they are written in the table; first those in which it is furthest from the mean row.
Json columns_of(const data::TablePreprocessor& preprocessor, const float* center, const float* mean) {
  struct Column {
    const data::FeatureColumn* column;
    std::span<const float> features;
    double apart;
  };
  std::vector<Column> columns;
  for (const data::FeatureColumn& column : preprocessor.columns()) {
    const int64_t width = column.num_features();
    columns.push_back({&column, {center, static_cast<size_t>(width)}, distance(center, mean, width)});
    center += width;
    mean += width;
  }
  std::stable_sort(columns.begin(), columns.end(), [](const Column& a, const Column& b) { return a.apart > b.apart; });
  Json list = Json::array();
  for (const Column& c : columns) {
    if (list.size() == kShownColumns) break;
    list.push_back({{"column", c.column->name()}, {"value", rounded(c.column->inverse(c.features))}, {"apart", c.apart}});
  }
  return list;
}

std::string page_of(const Json& report) {
  using enum eval::TextTable::Align;
  std::string text = fmt::format("{} test samples, by {} clusters that the training samples have\n\n", report["samples"].get<int64_t>(), report["clusters"].size());
  eval::TextTable table({left, right, left, left});
  table.add_row({"measure", "value", interval_name(report), "better"});
  for (const auto& [name, m] : report["metrics"].items()) {
    table.add_row({name, m["value"].is_number() ? fmt::format("{:.4f}", m["value"].get<double>()) : "undefined",
                   m.contains("interval") ? fmt::format("{:.4f} to {:.4f}", m["interval"][0].get<double>(), m["interval"][1].get<double>()) : "", m["better"].get<std::string>()});
  }
  text += table.str() + "\n";
  for (const Json& cluster : report["clusters"]) {
    text += fmt::format("cluster {}: {} training samples, {} test samples\n", cluster["name"].get<std::string>(), cluster["train"].get<int64_t>(), cluster["test"].get<int64_t>());
    if (!cluster.contains("columns")) continue;
    std::string line;
    for (const Json& c : cluster["columns"]) line += fmt::format("{}{} {}", line.empty() ? "  " : ", ", c["column"].get<std::string>(), c["value"].get<std::string>());
    text += line + "\n";
  }
  return text;
}

}  // namespace

// How far centres of one half of the training samples divide the test samples as those of the other half do.
double ClusterPipeline::stability(const Tensor& tested) {
  std::vector<int64_t> order = fitted().training_samples;
  Rng(static_cast<uint64_t>(recipe_.seed), 0x68616c766573).shuffle(order);
  const models::KMeansOptions options = this->options();
  const size_t half = order.size() / 2;
  std::vector<std::vector<int64_t>> divisions;
  for (const auto part : {std::span(order).first(half), std::span(order).subspan(half)}) {
    models::KMeans model(fitted().input_shape, options.clusters);
    try {
      model.set_centers(train::fit_kmeans(samples_of(part), options.clusters, options, static_cast<uint64_t>(recipe_.seed)).centers);
    } catch (const DataError&) {
      return NAN;  // half of them are too few for so many clusters
    }
    divisions.push_back(nearest_clusters(model(tested)));
  }
  return eval::adjusted_rand(divisions[0], divisions[1]);
}

Json ClusterPipeline::describe_clusters(const infer::Bundle& bundle) {
  const auto& model = dynamic_cast<const models::KMeans&>(*bundle.model);
  const int64_t width = model.centers().size(1);
  const Tensor x = samples_of(fitted().training_samples);
  const std::vector<int64_t> clusters = nearest_clusters((*bundle.model)(x));
  std::vector<int64_t> sizes(bundle.config.class_names.size());
  std::vector<double> sums(static_cast<size_t>(width));
  for (int64_t i = 0; i < x.size(0); ++i) {
    ++sizes[static_cast<size_t>(clusters[static_cast<size_t>(i)])];
    for (int64_t f = 0; f < width; ++f) sums[static_cast<size_t>(f)] += static_cast<double>(x.data()[i * width + f]);
  }
  std::vector<float> mean;
  for (const double sum : sums) mean.push_back(static_cast<float>(sum / static_cast<double>(x.size(0))));
  Json list = Json::array();
  for (size_t k = 0; k < sizes.size(); ++k) {
    const float* center = model.centers().data() + static_cast<int64_t>(k) * width;
    Json cluster = {{"name", bundle.config.class_names[k]}, {"train", sizes[k]}};
    if (bundle.config.input == infer::InputKind::table) cluster["columns"] = columns_of(data::TablePreprocessor::from_json(bundle.preprocess), center, mean.data());
    else cluster["image"] = base64_encode(data::encode_png(data::ImagePreprocess::from_json(bundle.preprocess, "preprocess.json").denormalize(center)));
    list.push_back(std::move(cluster));
  }
  return list;
}

Evaluation ClusterPipeline::measure() {
  infer::Predictor predictor(directory_.bundle());
  const std::vector<int64_t>& samples = split().test;
  const eval::BootstrapOptions& bootstrap = recipe_.evaluate.report.bootstrap;

  const Timer timer;
  const CpuTimer cpu;
  const Tensor distances = source().predict(predictor, samples);
  const Effort batches{timer.seconds(), cpu.seconds()};
  const std::vector<int64_t> clusters = nearest_clusters(distances);
  const Tensor x = samples_of(samples);
  const int64_t width = x.numel() / x.size(0);

  // Beside one centre for all of the training samples.
  models::KMeansOptions one = options();
  one.restarts = 1;
  models::KMeans mean(fitted().input_shape, 1);
  mean.set_centers(train::fit_kmeans(samples_of(fitted().training_samples), 1, one, 1).centers);
  const Tensor nearest = nearest_distances(distances), from_mean = mean(x);
  std::vector<double> squares, all;
  for (const float d : nearest.span()) squares.push_back(static_cast<double>(d) * static_cast<double>(d));
  for (const float d : from_mean.span()) all.push_back(static_cast<double>(d) * static_cast<double>(d));
  const eval::Statistic explained = [&](eval::Counts counts) { return 1 - eval::mean(squares, counts) / eval::mean(all, counts); };

  const auto judged = std::min(kSilhouettes, samples.size());
  const auto shown = x.span().first(judged * static_cast<size_t>(width));
  const auto of_shown = std::span(clusters).first(judged);
  const eval::Interval none{NAN, NAN};
  Json json = {{"task", "clustering"}, {"samples", samples.size()}, {"confidence", bootstrap.confidence}};
  json["metrics"] = {{"silhouette", mean_metric(eval::silhouettes(shown, width, of_shown), "higher", bootstrap)},
                     {"davies_bouldin", eval::measure_json(eval::davies_bouldin(x.span(), width, clusters), "lower", none)},
                     {"inertia_per_sample", mean_metric(squares, "lower", bootstrap)},
                     {"explained_variance", eval::measure_json(explained({}), "higher", eval::bootstrap_interval(std::ssize(squares), explained, bootstrap))},
                     {"stability", eval::measure_json(stability(x), "higher", none)}};
  json["silhouette_samples"] = judged;
  json["training_inertia"] = directory_.info().value("training", Json::object()).value("best_value", 0.0) * static_cast<double>(fitted().training_samples.size());
  json["clusters"] = describe_clusters(infer::read_bundle(directory_.bundle()));
  for (size_t k = 0; k < json["clusters"].size(); ++k) json["clusters"][k]["test"] = std::count(clusters.begin(), clusters.end(), static_cast<int64_t>(k));
  json["weights_hash"] = predictor.config().at("training").value("weights_hash", Json(nullptr));
  json["samples_per_second"] = static_cast<double>(samples.size()) / batches.seconds;

  SingleAnswers single = time_single_answers(source(), predictor, samples);
  const std::optional<double>& price = recipe_.evaluate.price_per_hour;
  Json details;
  details["cost"] = {{"predictions in batches", per_thousand(static_cast<double>(samples.size()), batches, price)},
                     {"predictions one by one", per_thousand(static_cast<double>(single.seconds.size()), single.effort, price)}};
  details["latency"] = {{"one sample", percentiles(std::move(single.seconds))}};
  Json request = {{"model", predictor.name()}};
  request.update(source().example(predictor, samples.front()));
  std::string text = page_of(json);
  return {.measured = std::move(json), .text = std::move(text), .details = std::move(details), .example_request = std::move(request)};
}

}  // namespace danlu::app
