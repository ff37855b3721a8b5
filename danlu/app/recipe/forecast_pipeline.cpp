#include "danlu/app/recipe/forecast_pipeline.h"

#include <algorithm>
#include <cmath>

#include "danlu/app/recipe/derive.h"
#include "danlu/app/recipe/gates.h"
#include "danlu/app/recipe/source_table.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/loader.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/model.h"
#include "danlu/learn/train/forecast_objective.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.forecast";
constexpr double kUsualEpochs = 50;
constexpr int64_t kUsualPatience = 10;
constexpr const char* kModels[] = {"mlp", "rnn", "lstm", "gru"};  // those that take samples of numbers in order

// What a recipe leaves open.
void derive_forecast_choices(Recipe& recipe) {
  if (recipe.model.is_null()) {
    recipe.model = "mlp";
    recipe.reasons["model"] = "derived: a small perceptron of the last values, those a season before and the calendar";
  }
  derive_end(recipe, kUsualEpochs, kUsualPatience);
}

}  // namespace

ForecastPipeline::ForecastPipeline(Recipe recipe, RunDirectory directory, Observer observer)
    : Pipeline(std::move(recipe), std::move(directory), std::move(observer)) {
  derive_forecast_choices(recipe_);
}

ForecastPipeline::ForecastPipeline(RunDirectory directory, Observer observer)
    : Pipeline(reopen_recipe(directory.file("resolved.yaml")), directory, std::move(observer)), prepared_(true) {}

const ForecastPipeline::Source& ForecastPipeline::source() {
  if (source_) return *source_;
  DataSection& options = recipe_.data;
  data::Panel panel = data::read_series(read_source_table(options, "with a row for each time"), options.series);
  if (prepared_) require_unchanged(panel.hash().hex());
  options.series = data::resolve_series_options(options.series, panel.frequency);
  for (const char* key : {"season", "length", "frequency", "calendar"}) {
    if (!recipe_.gives(fmt::format("data.series.{}", key))) recipe_.reasons[fmt::format("data.series.{}", key)] = "derived: from the distance of the times";
  }
  const data::SeriesPreprocess window = data::SeriesPreprocess::of(options.series);
  const data::TimeSplit split = data::split_in_time(panel, options.split, window.history(), window.horizon());
  data::SeriesPreprocess preprocess = data::SeriesPreprocess::fit(panel, options.series, split.training_end);
  data::SeriesReport report = data::report_series(panel, preprocess, split, options.source);
  source_ = Source{std::move(panel), split, std::move(preprocess), std::move(report)};
  return *source_;
}

std::vector<data::Origin> ForecastPipeline::origins(data::Part part) {
  const Source& s = source();
  const int64_t begin = part == data::Part::train ? 0 : part == data::Part::validation ? s.split.training_end : s.split.validation_end;
  const int64_t end = part == data::Part::train ? s.split.training_end : part == data::Part::validation ? s.split.validation_end : s.split.end;
  std::vector<data::Origin> found = data::origins_between(s.panel, s.preprocess, begin, end, part == data::Part::test ? recipe_.data.series.stride : 1);
  if (found.empty() && end > begin) {
    throw DataError(kWhere, fmt::format("the {} part, {} to {}, has no window with values to look at and to foretell; expected some; the series may begin too late or have long gaps",
                                        data::part_name(part), s.panel.time_text(begin), s.panel.time_text(end - 1)));
  }
  return found;
}

void ForecastPipeline::check() {
  train::check(recipe_.train);
  const std::string type = models::parse_model(recipe_.model).type;
  if (std::find(std::begin(kModels), std::end(kModels), type) == std::end(kModels)) {
    throw ConfigError(kWhere, fmt::format("model: got {}; expected {} for series of numbers", type, fmt::join(kModels, ", ")));
  }
  if (recipe_.train.monitor == "accuracy") throw ConfigError(kWhere, "train.monitor: got accuracy; expected loss: what is foretold are numbers");
  if (recipe_.evaluate.kfold.folds > 0) throw ConfigError(kWhere, "evaluate.kfold is for samples without an order; series are tested by walking forward");
  if (recipe_.data.split.test <= 0) throw ConfigError(kWhere, "data.split.test: got 0; expected more: the last periods are the test");
  std::vector<std::string> measures = eval::forecast_metrics();
  measures.emplace_back("skill");
  check_gates_are_measured(recipe_.evaluate.gates, measures);
  report("data", source().report.text, source().report.json);
  for (const data::Part part : {data::Part::train, data::Part::validation, data::Part::test}) origins(part);
  const auto model = make_model();
  plan_weights(*model, nullptr);
  const Shape sample{source().preprocess.rows(), source().preprocess.channels()};
  report("plan", models::summary(*model, sample), {{"model", models::parse_model(recipe_.model).resolved}, {"parameters", model->num_parameters()}});
}

void ForecastPipeline::prepare() {
  begin("prepare");
  check();
  directory_.start_fresh();
  guarded([&] {
    const Source& s = source();
    start_directory({{"data_hash", data_hash()}, {"samples", origins(data::Part::train).size()}, {"parameters", make_model()->num_parameters()}});
    write_json(directory_.file("data_report.json"), s.report.json);
    write_file_atomic(directory_.file("data_report.txt"), s.report.text);
    Json split = {{"train", Json::array()}, {"validation", Json::array()}, {"test", Json::array()}};
    for (int64_t p = 0; p < s.split.end; ++p) split[p < s.split.training_end ? "train" : p < s.split.validation_end ? "validation" : "test"].push_back(s.panel.time_text(p));
    write_json(directory_.file("split.json"), split);
    write_json(directory_.file("preprocess.json"), s.preprocess.to_json());
    write_transfer();
    directory_.update({{"status", "prepared"}});
  });
}

std::unique_ptr<nn::Module> ForecastPipeline::make_model() {
  manual_seed(static_cast<uint64_t>(recipe_.seed));
  return models::parse_model(recipe_.model).make({source().preprocess.rows(), source().preprocess.channels()}, source().preprocess.horizon());
}

train::Result ForecastPipeline::train(train::Start start) {
  train::Result result;
  stage("train", [&] {
    const auto model = make_model();
    put_transferred(*model);
    const Source& s = source();
    const auto seed = static_cast<uint64_t>(recipe_.seed);
    const data::LoaderOptions batches{.batch_size = recipe_.train.batch_size};
    const data::SeriesDataset windows(s.panel, s.preprocess, origins(data::Part::train));
    data::DataLoader training(windows, data::all_indexes(windows), batches, seed, data::Phase::train);
    const data::SeriesDataset held_out(s.panel, s.preprocess, origins(data::Part::validation));
    std::optional<data::DataLoader> validation;
    if (held_out.size() > 0) validation.emplace(held_out, data::all_indexes(held_out), batches, seed, data::Phase::evaluate);
    result = fit(start, *model, train::ForecastObjective(recipe_.train.objective), training, validation ? &*validation : nullptr);
  });
  return result;
}

void ForecastPipeline::write_bundle() {
  const auto model = make_model();
  const Json training = load_best(*model);
  const infer::ForecasterBundle bundle{recipe_.name, recipe_.notice, {recipe_.data.csv.missing, recipe_.data.csv.quoted_missing}, models::parse_model(recipe_.model).resolved, find_bands(*model), training};
  infer::write_forecaster(directory_.bundle(), bundle, *model, source().preprocess);
}

// From the errors on the validation part, which the weights were chosen on but not trained on.
std::vector<eval::ResidualBand> ForecastPipeline::find_bands(nn::Module& model) {
  std::vector<eval::ResidualBand> bands;
  if (recipe_.data.series.intervals.empty() || source().split.validation_end == source().split.training_end) return bands;
  const nn::EvalMode evaluation(model);
  const NoGrad no_grad;
  const Forecasts held_out = foretell(origins(data::Part::validation), [&](const Tensor& x) { return model(x); });
  std::vector<double> residuals(held_out.model.size());
  for (size_t i = 0; i < residuals.size(); ++i) residuals[i] = (held_out.walk.truth[i] - held_out.model[i]) / held_out.scales[i / static_cast<size_t>(held_out.walk.horizon)];
  for (const double share : recipe_.data.series.intervals) {
    if (auto band = eval::residual_band(residuals, held_out.walk.horizon, share)) bands.push_back(std::move(*band));
  }
  return bands;
}

}  // namespace danlu::app
