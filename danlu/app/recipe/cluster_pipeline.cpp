#include "danlu/app/recipe/cluster_pipeline.h"

#include <algorithm>
#include <cmath>

#include "danlu/app/recipe/commit.h"
#include "danlu/app/recipe/gates.h"
#include "danlu/app/recipe/split_file.h"
#include "danlu/base/cpu.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/base/timer.h"
#include "danlu/base/version.h"
#include "danlu/eval/clustering.h"
#include "danlu/eval/counts.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/train/checkpoint.h"
#include "danlu/learn/train/checkpoint_store.h"
#include "danlu/learn/train/fit_kmeans.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.clusters";
constexpr size_t kJudged = 1500;  // samples whose silhouettes decide how many clusters there are

// There is another way to say what is meant.
void check_no_target(const Recipe& recipe) {
  if (recipe.data.table.target.empty()) return;
  throw ConfigError(kWhere, fmt::format("data.target: got {0}; expected none: kmeans finds groups without labels; to leave that column out of them, data.columns.{0}.drop=true",
                                        recipe.data.table.target));
}

// The first `count` of some samples in an order of chance.
std::vector<int64_t> drawn(std::span<const int64_t> samples, size_t count, uint64_t seed) {
  std::vector<int64_t> order(samples.begin(), samples.end());
  Rng(seed, 0x6a75646765).shuffle(order);
  order.resize(std::min(order.size(), count));
  return order;
}

double mean_square(const Tensor& nearest) {
  std::vector<double> squares;
  for (const float d : nearest.span()) squares.push_back(static_cast<double>(d) * static_cast<double>(d));
  return eval::mean(squares);
}

}  // namespace

Tensor nearest_distances(const Tensor& distances) {
  Tensor nearest = Tensor::empty({distances.size(0)});
  const int64_t clusters = distances.size(1);
  for (int64_t i = 0; i < nearest.numel(); ++i) nearest.mutable_data()[i] = *std::min_element(distances.data() + i * clusters, distances.data() + (i + 1) * clusters);
  return nearest;
}

std::vector<int64_t> nearest_clusters(const Tensor& distances) {
  std::vector<int64_t> clusters;
  const int64_t count = distances.size(1);
  for (const float* row = distances.data(); std::ssize(clusters) < distances.size(0); row += count) clusters.push_back(std::min_element(row, row + count) - row);
  return clusters;
}

ClusterPipeline::ClusterPipeline(Recipe recipe, RunDirectory directory, Observer observer)
    : Pipeline(std::move(recipe), std::move(directory), std::move(observer)) {
  check_no_target(recipe_);
  source_ = open_source(recipe_);
}

ClusterPipeline::ClusterPipeline(RunDirectory directory, Observer observer)
    : Pipeline(reopen_recipe(directory.file("resolved.yaml")), directory, std::move(observer)) {}

DataSource& ClusterPipeline::source() {
  if (source_) return *source_;
  auto source = open_source(recipe_);
  require_unchanged(source->content_hash().hex());
  source_ = std::move(source);
  return *source_;
}

const data::Split& ClusterPipeline::split() {
  if (!split_) split_ = read_split(directory_.file("split.json"), source().size());
  return *split_;
}

const FittedData& ClusterPipeline::fitted() {
  if (!fitted_) fitted_ = source().fit(split().train);
  return *fitted_;
}

models::KMeansOptions ClusterPipeline::options() const {
  models::KMeansOptions options;
  read_options(split_type(recipe_.model, {"kmeans"}, "kmeans", {}, "model").options, options, {}, "model");
  return options;
}

Tensor ClusterPipeline::samples_of(std::span<const int64_t> samples) {
  data::Batch batch;
  fitted().dataset->gather(samples, batch);
  return batch.x;
}

std::unique_ptr<models::KMeans> ClusterPipeline::make_model() { return std::make_unique<models::KMeans>(fitted().input_shape, options().clusters); }

// By the mean silhouette of samples that the centres were not fitted to, where there are enough of them.
int64_t ClusterPipeline::choose_number(const models::KMeansOptions& options) {
  constexpr size_t kFewest = 50;
  const bool held_out = split_->validation.size() >= kFewest;
  const std::vector<int64_t> judged = drawn(held_out ? split_->validation : fitted().training_samples, kJudged, static_cast<uint64_t>(recipe_.seed));
  const Tensor training = samples_of(fitted().training_samples), x = samples_of(judged);
  int64_t best = 0;
  double most = -HUGE_VAL;
  std::string seen;
  for (int64_t k = 2; k <= std::min(options.most_clusters, std::ssize(fitted().training_samples)); ++k) {
    if (observer().stop_requested()) throw Error(kWhere, "stopped on request while clusters were counted");
    models::KMeans model(fitted().input_shape, k);
    try {
      model.set_centers(train::fit_kmeans(training, k, options, static_cast<uint64_t>(recipe_.seed)).centers);
    } catch (const DataError&) {
      if (k == 2) throw;
      break;  // as many as there are different samples
    }
    const double silhouette = eval::mean(eval::silhouettes(x.span(), x.numel() / x.size(0), nearest_clusters(model(x))));
    seen += fmt::format("{}{} {:.3f}", seen.empty() ? "" : ", ", k, silhouette);
    if (silhouette > most) most = silhouette, best = k;
  }
  if (best == 0) throw DataError(kWhere, fmt::format("got {} training samples, of which no number of clusters tells some from others; set model.clusters", training.size(0)));
  recipe_.reasons["model"] = fmt::format("clusters: derived: the mean silhouette of {} {} samples is the highest; {}", judged.size(), held_out ? "validation" : "training", seen);
  return best;
}

void ClusterPipeline::check() {
  check_gates_are_measured(recipe_.evaluate.gates, {"silhouette", "davies_bouldin", "inertia_per_sample", "explained_variance", "stability"});
  split_ = data::split({.size = source().size(), .labels = {}, .hashes = source().hashes(), .given = source().given()}, recipe_.data.split);
  if (split_->test.size() < 2) throw ConfigError(kWhere, fmt::format("got a test split of {} samples; expected at least 2 to measure clusters on; set data.split.test", split_->test.size()));
  quality_ = source().report(*split_);
  report("data", quality_.text, quality_.json);
  if (!quality_.passed && recipe_.data.strict) throw DataError(kWhere, fmt::format("{}: the data quality report has failures, and data.strict is set", recipe_.data.source));
  fitted_.reset();
  recipe_.reasons["data.columns"] = fitted().reasons;
  models::KMeansOptions chosen = options();
  if (chosen.clusters == 0) chosen.clusters = choose_number(chosen);
  if (chosen.clusters > std::ssize(fitted().training_samples)) {
    throw ConfigError(kWhere, fmt::format("model.clusters: got {}; expected at most the {} training samples", chosen.clusters, fitted().training_samples.size()));
  }
  train::require_different_samples(samples_of(fitted().training_samples), chosen.clusters);
  recipe_.model = {{"type", "kmeans"}};
  recipe_.model.update(write_options(chosen));
  std::string text = fmt::format("{}: {} samples to fit, {} to validate, {} to test\n", make_model()->describe(), fitted().training_samples.size(), split_->validation.size(), split_->test.size());
  if (const auto reason = recipe_.reasons.find("model"); reason != recipe_.reasons.end()) text += fmt::format("{}\n", reason->second);
  report("plan", text, {{"task", "clustering"}, {"clusters", chosen.clusters}, {"train", fitted().training_samples.size()}, {"validation", split_->validation.size()}, {"test", split_->test.size()}});
}

void ClusterPipeline::prepare() {
  begin("prepare");
  check();
  directory_.start_fresh();
  guarded([&] {
    const auto model = make_model();
    start_directory({{"data_hash", data_hash()}, {"samples", source().size()}, {"parameters", model->num_parameters()}});
    write_json(directory_.file("data_report.json"), quality_.json);
    write_file_atomic(directory_.file("data_report.txt"), quality_.text);
    write_json(directory_.file("split.json"), to_json(split()));
    write_json(directory_.file("preprocess.json"), fitted().preprocess);
    infer::BundleConfig config;
    config.name = recipe_.name;
    config.task = data::TaskKind::clustering;
    config.input = source().kind();
    config.input_shape = fitted().input_shape;
    for (int64_t k = 1; k <= options().clusters; ++k) config.class_names.push_back(std::to_string(k));
    config.target = "cluster";
    config.notice = recipe_.notice;
    config.missing = {recipe_.data.csv.missing, recipe_.data.csv.quoted_missing};
    config.model = models::parse_model(recipe_.model).resolved;
    config.training = {{"danlu", version()}, {"git_commit", git_commit()}, {"seed", recipe_.seed}, {"data_hash", data_hash()}, {"train_samples", fitted().training_samples.size()}};
    write_json(directory_.file("config.json"), config.to_json());
    directory_.update({{"status", "prepared"}});
  });
}

std::optional<double> ClusterPipeline::validate(const Tensor& centers) {
  if (split().validation.empty()) return std::nullopt;
  models::KMeans model(fitted().input_shape, centers.size(0));
  model.set_centers(centers);
  return mean_square(nearest_distances(model(samples_of(split().validation))));
}

train::Result ClusterPipeline::train(train::Start /*start*/) {
  train::Result result;
  stage("train", [&] {
    directory_.remove({"bundle", "report.json", "report.txt", "report.html", "example_request.json", "checkpoints", "metrics.jsonl"});
    const auto model = make_model();
    const models::KMeansOptions options = this->options();
    const Tensor x = samples_of(fitted().training_samples);
    const auto samples = static_cast<double>(x.size(0));
    const Timer timer;
    const CpuTimer cpu;
    LineAppender metrics(directory_.file("metrics.jsonl"));
    int64_t restart = 0;
    double least = HUGE_VAL;
    const train::KMeansFit best = train::fit_kmeans(x, options.clusters, options, static_cast<uint64_t>(recipe_.seed), [&](const train::KMeansFit& fit) {
      ++restart;
      result.steps += fit.iterations;
      const bool is_best = fit.inertia < least;
      if (is_best) least = fit.inertia, result.best_step = restart;
      const std::optional<double> validation = validate(fit.centers);
      metrics.append(to_line(Json{{"step", restart}, {"epoch", restart}, {"seconds", timer.seconds()}, {"train_loss", fit.inertia / samples}, {"iterations", fit.iterations},
                                  {"validation_loss", validation ? Json(*validation) : Json(nullptr)}, {"best", is_best}}));
      if (observer().on_validated) observer().on_validated(directory_);
      return !observer().stop_requested() && !is_over();
    });
    result.seconds = timer.seconds();
    result.epochs = static_cast<double>(best.iterations);
    result.terms = result.steps * x.size(0);
    result.monitor = "mean squared distance";
    result.best_value = best.inertia / samples;
    result.stopped_by = observer().stop_requested() ? "request" : restart < options.restarts ? "deadline" : "restarts";
    model->set_centers(best.centers);
    train::CheckpointStore(directory_.checkpoints()).save_best(*model, {{"step", result.best_step}});
    Json summary = to_json(result, *model);
    summary.update({{"cpu_seconds", cpu.seconds()}, {"peak_memory_bytes", peak_memory_bytes()}});
    directory_.update({{"status", result.stopped_by == "request" ? "stopped" : "trained"}, {"training", summary}});
  });
  return result;
}

std::string ClusterPipeline::replay() {
  const auto model = make_model();
  const models::KMeansOptions options = this->options();
  model->set_centers(train::fit_kmeans(samples_of(fitted().training_samples), options.clusters, options, static_cast<uint64_t>(recipe_.seed)).centers);
  return train::weights_hash(*model);
}

train::LrRange ClusterPipeline::lr_range_test(const train::LrRangeOptions& /*range*/, const std::function<void(const train::LrRange::Point&)>& /*on_point*/) {
  throw ConfigError(kWhere, "kmeans has no learning rate: its centres are means of samples");
}

void ClusterPipeline::set_profile(bool on) {
  if (on) throw ConfigError(kWhere, "--profile: kmeans has no updates to look into; expected it of a model that is trained by them");
}

void ClusterPipeline::write_bundle() {
  const fs::path path = directory_.file("config.json");
  infer::BundleConfig config = infer::BundleConfig::from_json(read_json(path), path.string());
  const auto model = models::parse_model(config.model).make(config.input_shape, config.outputs());
  config.training.update(load_best(*model));
  infer::write_bundle(directory_.bundle(), config, *model, read_json(directory_.file("preprocess.json")));
}

}  // namespace danlu::app
