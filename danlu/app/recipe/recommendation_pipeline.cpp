#include "danlu/app/recipe/recommendation_pipeline.h"

#include <algorithm>

#include "danlu/app/recipe/derive.h"
#include "danlu/app/recipe/gates.h"
#include "danlu/app/recipe/source_table.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/loader.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/train/ranking_objective.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.recommend";
constexpr int64_t kUsualBatch = 64;  // histories
constexpr double kUsualEpochs = 30;
constexpr int64_t kUsualPatience = 3;

// What a recipe leaves open.
void derive_recommendation_choices(Recipe& recipe) {
  if (recipe.model.is_null()) {
    recipe.model = "sequential";
    recipe.reasons["model"] = "derived: what somebody met last says most of what comes next, and serves those never seen too";
  }
  train::TrainOptions& t = recipe.train;
  const auto model = models::parse_recommender(recipe.model);
  if (!recipe.gives("train.batch_size") && model.type == "sequential") {
    t.batch_size = kUsualBatch;
    recipe.reasons["train.batch_size"] = "derived: histories, each of model.length items at most";
  }
  derive_end(recipe, kUsualEpochs, kUsualPatience);
}

}  // namespace

RecommendationPipeline::RecommendationPipeline(Recipe recipe, RunDirectory directory, Observer observer)
    : Pipeline(std::move(recipe), std::move(directory), std::move(observer)) {
  derive_recommendation_choices(recipe_);
}

RecommendationPipeline::RecommendationPipeline(RunDirectory directory, Observer observer)
    : Pipeline(reopen_recipe(directory.file("resolved.yaml")), directory, std::move(observer)), prepared_(true) {}

const RecommendationPipeline::Source& RecommendationPipeline::source() {
  if (source_) return *source_;
  const DataSection& options = recipe_.data;
  const data::Interactions interactions = data::read_interactions(read_source_table(options, "of interactions"), options.interactions);
  if (prepared_) require_unchanged(interactions.hash.hex());
  Source source{interactions.hash, data::leave_last_out(interactions, validates()), {}};
  source.report = data::report_interactions(interactions, source.split, options.source);
  source_ = std::move(source);
  return *source_;
}

void RecommendationPipeline::check() {
  train::check(recipe_.train);
  models::parse_recommender(recipe_.model);
  if (recipe_.train.monitor == "accuracy") throw ConfigError(kWhere, "train.monitor: got accuracy; expected loss: a recommender is watched by its loss");
  if (recipe_.evaluate.kfold.folds > 0) throw ConfigError(kWhere, "evaluate.kfold is for tables and images with classes; interactions have none");
  check_gates_are_measured(recipe_.evaluate.gates, eval::ranking_metrics(recipe_.evaluate.top));
  if (recipe_.data.split.test <= 0) throw ConfigError(kWhere, "data.split.test: got 0; expected more: what each user met last is the test");
  report("data", source().report.text, source().report.json);
  const auto model = make_model();
  plan_weights(*model, nullptr);
  report("plan", fmt::format("{}\n{} parameters\n", model->describe(), model->num_parameters()),
         {{"model", models::parse_recommender(recipe_.model).resolved}, {"parameters", model->num_parameters()}});
}

void RecommendationPipeline::prepare() {
  begin("prepare");
  check();
  directory_.start_fresh();
  guarded([&] {
    const data::LeaveLastOut& split = source().split;
    start_directory({{"data_hash", source().hash.hex()}, {"samples", split.training_rows.size()}, {"parameters", make_model()->num_parameters()}});
    write_json(directory_.file("data_report.json"), source().report.json);
    write_file_atomic(directory_.file("data_report.txt"), source().report.text);
    write_json(directory_.file("split.json"), {{"train", split.training_rows}, {"validation", split.validation_rows}, {"test", split.test_rows}});
    write_json(directory_.file("catalogue.json"), split.catalogue.to_json());
    write_transfer();
    directory_.update({{"status", "prepared"}});
  });
}

std::unique_ptr<models::Recommender> RecommendationPipeline::make_model() {
  manual_seed(static_cast<uint64_t>(recipe_.seed));
  return models::make_recommender(recipe_.model, infer::audience_of(source().split.catalogue));
}

data::InteractionDataset RecommendationPipeline::dataset(const models::Recommender& model, data::Part part) {
  const data::LeaveLastOut& split = source().split;
  std::vector<data::TargetedHistory> histories;
  for (int64_t user = 0; user < split.catalogue.num_users(); ++user) {
    data::TargetedHistory history{user, split.before_validation(user), 0};
    if (part == data::Part::validation) {
      const int64_t held_out = split.validation[static_cast<size_t>(user)];
      if (!data::LeaveLastOut::is_item(held_out)) continue;
      history.first_target = std::ssize(history.items);
      history.items.push_back(held_out);
    }
    histories.push_back(std::move(history));
  }
  return {std::move(histories), {.items = split.catalogue.num_items(),
                                 .length = model.length(),
                                 .every_position = model.foretells_every_position(),
                                 .negatives = train::RankingObjective::negatives(recipe_.train.objective)}};
}

train::Result RecommendationPipeline::train(train::Start start) {
  train::Result result;
  stage("train", [&] {
    const auto model = make_model();
    put_transferred(*model);
    const auto seed = static_cast<uint64_t>(recipe_.seed);
    const data::InteractionDataset interactions = dataset(*model, data::Part::train);
    data::DataLoader training(interactions, data::all_indexes(interactions), {.batch_size = recipe_.train.batch_size}, seed, data::Phase::train);
    std::optional<data::InteractionDataset> held_out;
    std::optional<data::DataLoader> validation;
    const std::vector<int64_t>& last_but_one = source().split.validation;
    if (std::any_of(last_but_one.begin(), last_but_one.end(), data::LeaveLastOut::is_item)) {
      held_out.emplace(dataset(*model, data::Part::validation));
      validation.emplace(*held_out, data::all_indexes(*held_out), data::LoaderOptions{.batch_size = recipe_.train.batch_size}, seed, data::Phase::evaluate);
    }
    result = fit(start, *model, train::RankingObjective(recipe_.train.objective, held_out ? &*held_out : nullptr, recipe_.evaluate.top), training, validation ? &*validation : nullptr);
  });
  return result;
}

void RecommendationPipeline::write_bundle() {
  const auto model = make_model();
  const Json training = load_best(*model);
  infer::write_recommender(directory_.bundle(), {recipe_.name, recipe_.notice, recipe_.data.interactions.user, models::parse_recommender(recipe_.model).resolved, training}, *model, source().split.catalogue);
}

}  // namespace danlu::app
