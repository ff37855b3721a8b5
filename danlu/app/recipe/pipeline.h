// The stages of a run. Each reads and writes the run directory, so that any can be run again alone.
//
//   check     everything that prepare does but for writing it
//   prepare   raw data -> report, split, what is fitted to the training part, resolved recipe
//   train     -> checkpoints/{best,last}, metrics.jsonl
//   bundle    best checkpoint -> bundle/
//   evaluate  the test split, through the bundle as it lies on disk -> report.{json,txt}, bundle/metrics.json, card.md
//
// A stage that is run again removes what the later ones had made. When one throws, run.json says so and keeps the words.
// There is one for each RecipeKind: PredictionPipeline (tables, images, texts), LanguagePipeline (text), PretrainingPipeline (texts
// without labels), ImagePipeline (images without labels), ClusterPipeline (groups without names), RecommendationPipeline (interactions of
// users with items), ForecastPipeline (series of numbers) and FaqPipeline (questions and answers).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "danlu/app/recipe/compression.h"
#include "danlu/app/recipe/recipe.h"
#include "danlu/app/recipe/run_directory.h"
#include "danlu/base/timer.h"
#include "danlu/compress/target.h"
#include "danlu/data/text/tokenizer.h"
#include "danlu/formats/tensorboard_events.h"
#include "danlu/learn/train/lr_range.h"
#include "danlu/learn/train/trainer.h"
#include "danlu/learn/train/transfer.h"

namespace danlu::app {

// Whoever watches a run. Calls come from the thread that runs it.
struct Observer {
  std::function<void(const std::string& stage)> on_stage;  // "train", when it begins
  // What a stage found out: a page for people and the same for programs.
  std::function<void(const std::string& name, const std::string& text, const Json& json)> on_report;
  std::function<void(int64_t done, int64_t total)> on_fold;
  // run.json says something new: a stage has begun, ended or failed.
  std::function<void(const RunDirectory& run)> on_change;
  // metrics.jsonl has another line.
  std::function<void(const RunDirectory& run)> on_validated;
  train::Callbacks training;

  bool stop_requested() const { return training.stop_requested != nullptr && training.stop_requested->load(); }
};

// What the test split says of a bundle.
struct Evaluation {
  Json measured;                     // "metrics" and more: bundle/metrics.json, and a part of report.json
  std::string text;                  // report.txt
  Json details = Json::object();     // what report.json has besides, for report.html
  Json example_request = nullptr;    // a question to try the server with; null: none
  const char* part = "test";
};

class Pipeline {
 public:
  virtual ~Pipeline() = default;
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // Throws whatever is wrong with the recipe or the data; nothing is written.
  virtual void check() = 0;
  virtual void prepare() = 0;
  // The same, beside a prepared run of the same data and tokeniser: what is large and takes long is linked and not made again.
  virtual void prepare_like(const RunDirectory& /*prepared*/) { prepare(); }
  // `resume` goes on from the newest state in checkpoints/, to the same weights as if there had been no interruption.
  virtual train::Result train(train::Start start) = 0;
  // Trains again, from the beginning and in memory: the hash of the weights. The run directory is read and not changed.
  virtual std::string replay();
  // The learning rates of this recipe, from those that do nothing to those that do too much. The run directory is read and not changed.
  virtual train::LrRange lr_range_test(const train::LrRangeOptions& range, const std::function<void(const train::LrRange::Point&)>& on_point = {});
  void bundle();
  void evaluate();
  // The whole recipe on every fold -> kfold.json. Throws ConfigError where that makes no sense.
  virtual void kfold(const KfoldSection& options);
  // The model of its bundle made smaller, beside it as a run of its own, and both measured: compression.h. Throws ConfigError for what
  // cannot be compressed, or not measured.
  virtual Compression compress(const compress::Target& target, const CompressOptions& options, const RunDirectory& made);
  // Where that run lies if nobody says otherwise: NAME-int8, beside this one.
  RunDirectory smaller_directory(const compress::Target& target) const;

  // All of them, kfold and compress if the recipe asks for it. Nothing after a training that was stopped on request: then false. A run of the
  // same recipe, data and version of the program that was interrupted goes on where its training had come to; unless `start` is
  // afresh.
  bool run(train::Start start = train::Start::resume);
  // Training ends, its last validation and checkpoint included, so many seconds after this pipeline was opened. run() then makes no
  // cross-validation, and no smaller model.
  void set_deadline(double seconds) { deadline_ = seconds; }
  // Training is watched: profile.{txt,json} and trace.json (profile/step_profile.h). Throws ConfigError where there is nothing to watch.
  virtual void set_profile(bool on) { profiles_ = on; }
  // Does a training that was stopped go on where it was? Otherwise it begins again.
  virtual bool goes_on() const { return true; }

  // What evaluate() found of the recipe's quality gates (gates.h); null without gates.
  const Json& gates() const { return gates_; }
  // What run() found of a smaller model, if the recipe asks for one.
  const std::optional<Compression>& compression() const { return compression_; }
  const Recipe& recipe() const { return recipe_; }
  const RunDirectory& directory() const { return directory_; }

 protected:
  Pipeline(Recipe recipe, RunDirectory directory, Observer observer);

  const Observer& observer() const { return observer_; }
  void report(const char* name, const std::string& text, const Json& json) const;
  bool has_deadline() const { return deadline_.has_value(); }
  bool is_over() const { return deadline_ && opened_.seconds() >= *deadline_; }
  // Throws DataError where a prepared run finds other data than those that it was prepared with.
  void require_unchanged(const std::string& data_hash) const;
  void begin(const char* stage);  // takes the lock, tells the observer
  void refuse_compressed() const;  // ConfigError for a run that compression made: it is trained no further
  void guarded(const std::function<void()>& work) const;  // keeps a failure in run.json; tells the observer how it ended
  void changed() const;
  // The training stage of a model: by the recipe's options, with metrics.jsonl, TensorBoard's events and what run.json says of it.
  // `sample` is called after each validation: what the model makes now, as text; it may be empty.
  train::Result fit(train::Start start, nn::Module& model, const train::Objective& objective, data::DataLoader& training,
                    data::DataLoader* validation, const std::function<std::string(const train::EpochReport&)>& sample = {});
  // The best weights of the training, for a bundle that is written anew: what was made with the last one is removed. What a bundle says
  // of them: {"danlu", "git_commit", "seed", "data_hash", "step", "weights_hash"}. Throws FileError if there are none.
  Json load_best(nn::Module& model) const;
  // Which weights learn, and where the first ones come from if the recipe takes them from another model: all is checked before a run
  // begins, and a copy of what is taken is kept in the run directory, transferred.safetensors. `tokenizer` is that of this run, if it
  // reads text.
  void plan_weights(nn::Module& model, const data::Tokenizer* tokenizer);
  void write_transfer() const;
  void put_transferred(nn::Module& model);
  // What a training is shown, for whom TensorBoard can show it to. Once, when it begins.
  virtual void show_samples(formats::EventWriter& /*events*/) {}
  // What the model makes, after each validation.
  virtual void show_validation(formats::EventWriter& /*events*/, const train::EpochReport& /*epoch*/) {}
  void stage(const char* name, const std::function<void()>& work);
  // The same as the beginning of card.md.
  std::string verdict_text() const;
  // The best checkpoint -> bundle/.
  virtual void write_bundle() = 0;
  // The test split, through the bundle as it lies on disk.
  virtual Evaluation measure() = 0;
  // bundle/card.md, from report.json as it is by now and report.txt.
  virtual void write_card(const Json& report, const std::string& text) const;
  // What run.json says of a run that begins: program, machine, recipe. `facts` are laid over it.
  void start_directory(const Json& facts) const;

  Recipe recipe_;
  RunDirectory directory_;

 private:
  // Program, version and data into what was measured; the notice, and whether "metrics" keep the recipe's gates.
  void sign_and_judge(Json& measured);
  // What is done in the place of training, on the same model and data, with the run directory left alone.
  using Rehearsal = std::function<train::Result(nn::Module& model, const train::Objective& objective, data::DataLoader& training, data::DataLoader* validation)>;
  void rehearse(Rehearsal rehearsal);
  void compress_as_told();
  bool can_resume();
  void plan_transfer(const nn::Module& model, const data::Tokenizer* tokenizer);
  virtual std::string data_hash() = 0;  // of the source as it is now

  Observer observer_;
  std::optional<train::Transfer> transfer_;
  std::unique_ptr<RunLock> lock_;
  Json gates_;
  std::optional<Compression> compression_;
  bool profiles_ = false;
  Rehearsal rehearsal_;  // while there is one
  Timer opened_;
  std::optional<double> deadline_;
};

// A line of metrics.jsonl, and what run.json keeps of a training.
Json to_json(const train::EpochReport& report);
Json to_json(const train::Result& result, const nn::Module& model);

// A new run of this recipe. Reads the data; nothing is written before prepare().
std::unique_ptr<Pipeline> open_pipeline(Recipe recipe, RunDirectory directory, Observer observer);
// A run that has been prepared, read back from its directory.
std::unique_ptr<Pipeline> reopen_pipeline(RunDirectory directory, Observer observer);

}  // namespace danlu::app
