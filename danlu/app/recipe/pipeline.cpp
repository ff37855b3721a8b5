#include "danlu/app/recipe/pipeline.h"

#include "danlu/app/profile/step_profile.h"
#include "danlu/app/recipe/cluster_pipeline.h"
#include "danlu/app/recipe/commit.h"
#include "danlu/app/recipe/faq_pipeline.h"
#include "danlu/app/recipe/forecast_pipeline.h"
#include "danlu/app/recipe/gates.h"
#include "danlu/app/recipe/image_pipeline.h"
#include "danlu/app/recipe/language_pipeline.h"
#include "danlu/app/recipe/prediction_pipeline.h"
#include "danlu/app/recipe/pretraining_pipeline.h"
#include "danlu/app/recipe/recommendation_pipeline.h"
#include "danlu/app/recipe/training_events.h"
#include "danlu/app/recipe/transfer_source.h"
#include "danlu/app/recipe/yaml.h"
#include "danlu/app/report/live_report.h"
#include "danlu/app/report/model_card.h"
#include "danlu/app/report/run_report.h"
#include "danlu/base/cpu.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/log.h"
#include "danlu/base/threads.h"
#include "danlu/base/version.h"
#include "danlu/data/text/tokenizer_json.h"
#include "danlu/formats/safetensors.h"
#include "danlu/learn/nn/freeze.h"
#include "danlu/learn/train/checkpoint.h"
#include "danlu/learn/train/checkpoint_store.h"
#include "danlu/learn/train/make_optimizer.h"

namespace danlu::app {
namespace {

template <class T>
Json or_null(const std::optional<T>& value) { return value ? Json(*value) : Json(nullptr); }

// Of a log with a line for each step reported, the lines up to a step.
void forget_after(const RunDirectory& run, const char* log, int64_t step) {
  if (!fs::exists(run.file(log))) return;
  std::string kept;
  for (const Json& line : run.lines(log)) {
    const auto at = line.find("step");
    if (at != line.end() && at->is_number() && at->get<double>() <= static_cast<double>(step)) kept += to_line(line) + "\n";
  }
  write_file_atomic(run.file(log), kept);
}

// Of the last line of such a log that has it; 0 if none does.
double last_number(const RunDirectory& run, const char* log, const char* key) {
  double number = 0;
  for (const Json& line : run.lines(log)) {
    if (line.contains(key) && line[key].is_number()) number = line[key];
  }
  return number;
}

// How a run is measured, and what is made of it, makes no other training of it.
Json without_evaluation(const std::string& resolved) {
  Json recipe = parse_yaml(resolved, "resolved.yaml").json;
  if (!recipe.is_object()) return recipe;
  recipe.erase("evaluate");
  recipe.erase("compress");
  recipe.erase("notice");
  recipe.erase("purpose");
  if (const auto data = recipe.find("data"); data != recipe.end() && data->is_object()) data->erase("licence");
  for (const char* section : {"decision", "dialogue"}) recipe.erase(section);
  return recipe;
}

}  // namespace

Pipeline::Pipeline(Recipe recipe, RunDirectory directory, Observer observer)
    : recipe_(std::move(recipe)), directory_(std::move(directory)), observer_(std::move(observer)) {
  if (recipe_.threads > 0) set_num_threads(static_cast<int>(recipe_.threads));
}

void Pipeline::kfold(const KfoldSection& /*options*/) {
  throw ConfigError("app.run", "evaluate.kfold is for tables and images with classes; this recipe has none");
}

Compression Pipeline::compress(const compress::Target& /*target*/, const CompressOptions& /*options*/, const RunDirectory& /*made*/) {
  throw ConfigError("app.compress", fmt::format("{} is no run of classes or numbers; expected one of tables, images or texts", directory_.path().string()));
}

bool Pipeline::run(train::Start start) {
  const bool resumes = start == train::Start::resume && can_resume();
  if (!resumes) {
    prepare();
  } else if (recipe_.render() != read_file(directory_.file("resolved.yaml"))) {
    if (!lock_) lock_ = std::make_unique<RunLock>(directory_);
    write_file_atomic(directory_.file("recipe.yaml"), recipe_.text);
    write_file_atomic(directory_.file("resolved.yaml"), recipe_.render());
  }
  if (train(resumes ? train::Start::resume : train::Start::afresh).stopped_by == "request") return false;
  bundle();
  evaluate();
  if (recipe_.evaluate.kfold.folds > 0) {
    // Every fold is a training as long as that one, and the time is over.
    if (deadline_) log_warning("app.run", fmt::format("there is no time left for cross-validation; make it with: danlu evaluate {} --kfold", directory_.path().string()));
    else kfold(recipe_.evaluate.kfold);
  }
  if (!recipe_.compress.to.empty()) {
    if (deadline_) log_warning("app.run", fmt::format("there is no time left for a smaller model; make it with: danlu compress {} --to {}", directory_.path().string(), recipe_.compress.to));
    else compress_as_told();
  }
  return true;
}

RunDirectory Pipeline::smaller_directory(const compress::Target& target) const {
  return RunDirectory(directory_.path().parent_path() / fmt::format("{}-{}", directory_.name(), target.name()));
}

void Pipeline::compress_as_told() {
  const compress::Target target = compress::parse_target(recipe_.compress.to);
  const RunDirectory made = smaller_directory(target);
  compression_ = compress(target, recipe_.compress.options, made);
  reopen_pipeline(made, observer_)->evaluate();
  report("compress", compression_->text(), compression_->to_json());
}

// Decided without a word to anybody but the log: what the user asked for is a run of this recipe, and this is the shorter way to it.
bool Pipeline::can_resume() {
  if (!directory_.exists() || !train::CheckpointStore(directory_.checkpoints()).has_state()) return false;
  const std::string status = directory_.status();
  if (status != "interrupted" && status != "stopped" && status != "failed") return false;
  check();  // reads the data, and resolves what the recipe leaves open
  std::string differs;
  if (directory_.fact("danlu") != version()) differs = "the program";
  else if (directory_.fact("data_hash") != data_hash()) differs = "the data";
  else if (without_evaluation(read_file(directory_.file("resolved.yaml"))) != without_evaluation(recipe_.render())) differs = "the recipe";
  if (differs.empty()) return true;
  log_warning("app.run", fmt::format("{} was {}, but {} has changed since: it begins again; the earlier one is kept in .previous/{}",
                                     directory_.path().string(), status, differs, directory_.name()));
  return false;
}

train::Result Pipeline::fit(train::Start start, nn::Module& model, const train::Objective& objective, data::DataLoader& training,
                            data::DataLoader* validation, const std::function<std::string(const train::EpochReport&)>& sample) {
  if (rehearsal_) return rehearsal_(model, objective, training, validation);
  directory_.remove({"bundle", "report.json", "report.txt", "report.html", "explanation.json", "example_request.json"});
  if (start == train::Start::afresh) directory_.remove({"checkpoints", "metrics.jsonl", "samples.jsonl", "samples", "tensorboard"});
  const CpuTimer cpu;
  double earlier_cpu_s = 0;  // of earlier sessions, up to the validation that this one goes on from
  LiveReport page(directory_);
  std::optional<LineAppender> metrics;
  std::optional<TrainingEvents> events;  // once it is known where training begins
  int64_t resumed = -1;
  const auto tensorboard = [&]() -> TrainingEvents& {
    if (events) return *events;
    events.emplace(directory_.file("tensorboard"), recipe_, model, resumed);
    if (resumed < 0) show_samples(events->writer());
    return *events;
  };
  train::Callbacks callbacks = observer().training;
  callbacks.on_resume = [&](int64_t step, int64_t validated) {
    resumed = step;
    for (const char* log : {"metrics.jsonl", "samples.jsonl"}) forget_after(directory_, log, validated);
    earlier_cpu_s = last_number(directory_, "metrics.jsonl", "cpu_seconds");
    if (observer().training.on_resume) observer().training.on_resume(step, validated);
  };
  callbacks.on_epoch = [&](const train::EpochReport& epoch) {
    tensorboard().validated(epoch);
    if (!metrics) metrics.emplace(directory_.file("metrics.jsonl"));
    Json line = to_json(epoch);
    line["cpu_seconds"] = earlier_cpu_s + cpu.seconds();
    metrics->append(to_line(line));
    page.validated();
    if (observer().on_validated) observer().on_validated(directory_);
    if (observer().training.on_epoch) observer().training.on_epoch(epoch);
    const std::string made = sample ? sample(epoch) : "";
    if (!made.empty()) tensorboard().sample(epoch.progress.step, made);
    show_validation(tensorboard().writer(), epoch);
  };
  StepProfile profile;
  callbacks.on_step = [&](const train::StepReport& step) {
    if (profiles_) profile.updated();
    tensorboard().step(step);
    if (observer().training.on_step) observer().training.on_step(step);
  };
  train::Session session{directory_.checkpoints(), start, {}};
  if (deadline_) session.deadline = *deadline_ - opened_.seconds();
  const train::Result result = train::Trainer(model, objective, recipe_.train).fit(training, validation, session, callbacks);
  if (profiles_) {
    profile.finish();
    profile.write(directory_.path());
    report("profile", profile.text(), profile.json());
  }
  Json summary = to_json(result, model);
  summary.update({{"cpu_seconds", earlier_cpu_s + cpu.seconds()}, {"peak_memory_bytes", peak_memory_bytes()}});
  directory_.update({{"status", result.stopped_by == "request" ? "stopped" : "trained"}, {"training", summary}});
  return result;
}

void Pipeline::plan_weights(nn::Module& model, const data::Tokenizer* tokenizer) {
  if (!recipe_.transfer.from.empty()) plan_transfer(model, tokenizer);
  const nn::Freeze freeze(model, recipe_.train.freeze);
  train::make_optimizer(model, model.parameters(), recipe_.train);
}

void Pipeline::refuse_compressed() const {
  const Json info = directory_.exists() ? directory_.info() : Json::object();
  if (!info.contains("compressed")) return;
  throw ConfigError("app.train", fmt::format("{} was made of {}; train that one, and compress it again", directory_.path().string(), info["compressed"].value("from", "another run")));
}

Json Pipeline::load_best(nn::Module& model) const {
  refuse_compressed();  // it has no checkpoints, and its bundle is not to be made again from anything else
  const fs::path best = train::CheckpointStore(directory_.checkpoints()).best_or_last();
  if (!fs::exists(best)) throw FileError("app.bundle", fmt::format("{0} has no checkpoint yet; train it first: danlu train {0}", directory_.path().string()));
  directory_.remove({"bundle", "report.json", "report.txt", "report.html", "explanation.json"});
  const Json state = train::load_checkpoint(best, model);
  return {{"danlu", version()},
          {"git_commit", git_commit()},
          {"seed", recipe_.seed},
          {"data_hash", directory_.fact("data_hash")},
          {"step", state.value("step", Json(nullptr))},
          {"weights_hash", train::weights_hash(model)}};
}

void Pipeline::plan_transfer(const nn::Module& model, const data::Tokenizer* tokenizer) {
  const TransferSource source = read_transfer_source(recipe_.transfer.from, directory_.path().parent_path());
  if (tokenizer != nullptr && source.tokenizer && data::tokenizer_json_text(tokenizer->model()) != data::tokenizer_json_text(source.tokenizer->model())) {
    throw ConfigError("app.transfer", fmt::format("tokenizer: the weights of {0} were learnt with another tokeniser; expected tokenizer.file: {0}", source.name));
  }
  transfer_ = train::plan_transfer(model, source.weights, recipe_.transfer.names, source.name);
  report("transfer", fmt::format("{}: {}", source.name, transfer_->text()),
         {{"from", source.name}, {"taken", transfer_->taken.size()}, {"fresh", transfer_->fresh}});
}

void Pipeline::write_transfer() const {
  if (!transfer_) return;
  std::vector<formats::NamedTensor> tensors;
  for (const nn::NamedTensor& t : transfer_->taken) tensors.push_back({t.name, t.tensor});
  formats::write_safetensors(directory_.file("transferred.safetensors"), tensors);
  directory_.update({{"transfer", {{"from", recipe_.transfer.from}, {"taken", transfer_->taken.size()}, {"fresh", transfer_->fresh}}}});
}

void Pipeline::put_transferred(nn::Module& model) {
  if (recipe_.transfer.from.empty()) return;
  if (!transfer_) {
    const formats::SafetensorsFile file(directory_.file("transferred.safetensors"));
    transfer_.emplace();
    for (const std::string& name : file.names()) transfer_->taken.push_back({name, file.read(name)});
  }
  transfer_->put_into(model);
}

void Pipeline::rehearse(Rehearsal rehearsal) {
  rehearsal_ = std::move(rehearsal);
  train(train::Start::afresh);
  rehearsal_ = {};
}

std::string Pipeline::replay() {
  std::string hash;
  rehearse([&](nn::Module& model, const train::Objective& objective, data::DataLoader& training, data::DataLoader* validation) {
    train::Result result = train::Trainer(model, objective, recipe_.train).fit(training, validation, {}, observer().training);
    hash = train::weights_hash(model);
    return result;
  });
  return hash;
}

train::LrRange Pipeline::lr_range_test(const train::LrRangeOptions& options, const std::function<void(const train::LrRange::Point&)>& on_point) {
  train::LrRange range;
  rehearse([&](nn::Module& model, const train::Objective& objective, data::DataLoader& training, data::DataLoader*) {
    range = train::lr_range_test(model, objective, recipe_.train, training, options, on_point);
    return train::Result();
  });
  return range;
}

void Pipeline::require_unchanged(const std::string& data_hash) const {
  if (directory_.fact("data_hash") == data_hash) return;
  throw DataError("app.data", fmt::format("{} has changed since {} was prepared; prepare it again", recipe_.data.source, directory_.path().string()));
}

void Pipeline::report(const char* name, const std::string& text, const Json& json) const {
  if (observer_.on_report) observer_.on_report(name, text, json);
}

void Pipeline::begin(const char* stage) {
  if (!lock_) lock_ = std::make_unique<RunLock>(directory_);
  if (observer_.on_stage) observer_.on_stage(stage);
}

void Pipeline::guarded(const std::function<void()>& work) const {
  try {
    work();
  } catch (const std::exception& error) {
    try {
      directory_.update({{"status", "failed"}, {"error", error.what()}, {"finished", now_text()}});
    } catch (const FileError&) {
      // A full disk takes no record either. The first error is the one that tells.
    }
    changed();
    throw;
  }
  changed();
}

void Pipeline::changed() const {
  if (observer_.on_change) observer_.on_change(directory_);
}

void Pipeline::stage(const char* name, const std::function<void()>& work) {
  begin(name);
  if (rehearsal_) return work();
  guarded([&] {
    directory_.update({{"status", "running"}, {"stage", name}, {"error", nullptr}});
    changed();
    work();
  });
}

void Pipeline::bundle() {
  stage("bundle", [&] {
    write_bundle();
    directory_.update({{"status", "trained"}});
  });
}

void Pipeline::evaluate() {
  stage("evaluate", [&] {
    if (!fs::exists(directory_.bundle() / "config.json")) write_bundle();
    Evaluation found = measure();
    sign_and_judge(found.measured);
    Json whole = found.measured;
    whole.update(found.details, true);
    whole["price_per_hour"] = or_null(recipe_.evaluate.price_per_hour);
    write_json(directory_.file("report.json"), whole);
    write_file_atomic(directory_.file("report.txt"), found.text);
    write_json(directory_.bundle() / "metrics.json", found.measured);
    write_card(whole, found.text);
    if (!found.example_request.is_null()) write_json(directory_.file("example_request.json"), found.example_request);
    directory_.update({{"status", "finished"}, {"finished", now_text()}, {"peak_memory_bytes", peak_memory_bytes()}});
    write_run_report(directory_);
    report(found.part, found.text, found.measured);
  });
}

void Pipeline::write_card(const Json& /*report*/, const std::string& /*text*/) const { write_model_card(directory_); }

void Pipeline::sign_and_judge(Json& measured) {
  measured["danlu"] = version();
  measured["git_commit"] = git_commit();
  measured["data_hash"] = directory_.fact("data_hash");
  gates_ = judge(recipe_.evaluate.gates, measured.at("metrics"));
  if (!recipe_.notice.empty()) measured["notice"] = recipe_.notice;
  if (!gates_.is_null()) measured["gates"] = gates_;
  directory_.update({{"gates", gates_.is_null() ? Json(nullptr) : Json(gates_["passed"].get<bool>() ? "passed" : "failed")}});
}

std::string Pipeline::verdict_text() const {
  std::string text = recipe_.notice.empty() ? "" : fmt::format("**{}**\n\n", recipe_.notice);
  if (!gates_.is_null()) text += "```\n" + gates_text(gates_) + "```\n\n";
  return text;
}

void Pipeline::start_directory(const Json& facts) const {
  Json info = {{"name", recipe_.name},       {"status", "running"},       {"stage", "prepare"},       {"started", now_text()},
               {"danlu", version()},         {"compiler", compiler()},    {"git_commit", git_commit()},
               {"cpu", cpu_info().model},    {"threads", num_threads()}};
  info.update(facts);
  directory_.update(info);
  write_file_atomic(directory_.file("recipe.yaml"), recipe_.text);
  write_file_atomic(directory_.file("resolved.yaml"), recipe_.render());
}

Json to_json(const train::EpochReport& r) {
  int64_t dead = 0;
  for (const train::LayerUnits& layer : r.dead_units) dead += layer.dead;
  Json line = {{"step", r.progress.step},
          {"epoch", r.progress.epoch},
          {"seconds", r.seconds},
          {"train_loss", r.train_loss},
          {"train_accuracy", or_null(r.train_accuracy)},
          {"validation_loss", or_null(r.validation_loss)},
          {"validation_accuracy", or_null(r.validation_accuracy)},
          {"lr", r.lr},
          {"gradient_norm", r.gradient_norm},
          {"dead_units", dead},
          {"best", r.is_best}};
  line.update(Json(r.measures));
  return line;
}

Json to_json(const train::Result& r, const nn::Module& model) {
  return {{"steps", r.steps},
          {"epochs", r.epochs},
          {"seconds", r.seconds},
          {"terms", r.terms},
          {"stopped_by", r.stopped_by},
          {"monitor", r.monitor},
          {"best_value", r.best_value},
          {"best_step", r.best_step},
          {"skipped_updates", r.skipped_updates},
          {"loss_spikes", r.loss_spikes},
          {"weights_hash", train::weights_hash(model)}};
}

namespace {

// How the pipeline of a kind of recipe comes about.
struct Maker {
  std::unique_ptr<Pipeline> (*open)(Recipe recipe, RunDirectory directory, Observer observer);
  std::unique_ptr<Pipeline> (*reopen)(RunDirectory directory, Observer observer);
};

template <class Kind>
constexpr Maker kMaker = {
    [](Recipe recipe, RunDirectory directory, Observer observer) -> std::unique_ptr<Pipeline> { return std::make_unique<Kind>(std::move(recipe), std::move(directory), std::move(observer)); },
    [](RunDirectory directory, Observer observer) -> std::unique_ptr<Pipeline> { return std::make_unique<Kind>(std::move(directory), std::move(observer)); }};

const Maker& maker_of(RecipeKind kind) {
  switch (kind) {
    case RecipeKind::prediction: return kMaker<PredictionPipeline>;
    case RecipeKind::language: return kMaker<LanguagePipeline>;
    case RecipeKind::pretraining: return kMaker<PretrainingPipeline>;
    case RecipeKind::images: return kMaker<ImagePipeline>;
    case RecipeKind::clusters: return kMaker<ClusterPipeline>;
    case RecipeKind::forecast: return kMaker<ForecastPipeline>;
    case RecipeKind::recommendation: return kMaker<RecommendationPipeline>;
    case RecipeKind::faq: return kMaker<FaqPipeline>;
  }
  throw InternalError("app.run", "unknown kind of recipe");
}

}  // namespace

std::unique_ptr<Pipeline> open_pipeline(Recipe recipe, RunDirectory directory, Observer observer) {
  const Maker& maker = maker_of(recipe.kind());
  return maker.open(std::move(recipe), std::move(directory), std::move(observer));
}

std::unique_ptr<Pipeline> reopen_pipeline(RunDirectory directory, Observer observer) {
  const Maker& maker = maker_of(reopen_recipe(directory.file("resolved.yaml")).kind());
  return maker.reopen(std::move(directory), std::move(observer));
}

}  // namespace danlu::app
