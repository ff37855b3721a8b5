#include "danlu/app/recipe/predict_files.h"

#include <cstdio>

#include "danlu/app/cli/find_bundle.h"
#include "danlu/app/cli/verbs.h"
#include "danlu/app/recipe/forecast_files.h"
#include "danlu/app/recipe/answer_files.h"
#include "danlu/app/recipe/recommend_files.h"
#include "danlu/app/recipe/recipe.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"

namespace danlu::app {
namespace {

struct RecommenderOptions {
  int64_t top = infer::RecommendRequest().k;
  void describe(OptionVisitor& v) { v.field("top", top, {1, static_cast<double>(infer::RecommendRequest::kMost)}, "items that a recommender names for each user"); }
};

struct ForecasterOptions {
  std::optional<int64_t> horizon;
  void describe(OptionVisitor& v) { v.field("horizon", horizon, {1, 10000}, "periods that a forecaster foretells; default: all that it was trained for"); }
};

class PredictVerb : public Verb {
 public:
  PredictVerb() : Verb("predict", "answer for files, as the server would") {}

  void declare(Arguments& arguments) override {
    arguments.word("run", run_, "a run, by name or path, or a bundle");
    arguments.words("inputs", inputs_, "table files, or image files and directories of them; for a recommender, tables of users; for a forecaster, of the past; for a FAQ, of questions");
    arguments.option("-o,--output", output_, "a .csv or .jsonl file; default: JSON lines on standard output");
    arguments.flag("--as-trained", as_trained_, "read CSV files the way that the run's recipe reads its data");
    arguments.fields(recommender_);
    arguments.fields(forecaster_);
    arguments.fields(csv_);
    arguments.examples("danlu predict medical new_patients.csv -o answers.csv\ndanlu predict fashion photos/ shoe.png\ndanlu predict movielens users.csv --top 5\ndanlu predict co2 measured.csv --horizon 12 -o next.csv");
  }

  int run(const Context& context) override {
    if (inputs_.empty()) throw ConfigError("app.predict", "expected at least one file to answer for");
    if (context.threads > 0) set_num_threads(context.threads);
    const AnswerForm form = answer_form();
    if (as_trained_) csv_ = reopen_recipe(find_run(run_, context.runs).file("resolved.yaml")).data.csv;
    const fs::path bundle = find_bundle(run_, context.runs);
    const std::string answers = infer::is_recommender(bundle)   ? recommend(bundle, form, context)
                                : infer::is_forecaster(bundle) ? forecast(bundle, form, context)
                                : infer::is_answerer(bundle)   ? answer(bundle, form, context)
                                                               : predict(bundle, form, context);
    if (!output_.empty()) {
      write_file_atomic(output_, answers);
    } else if (std::fputs(answers.c_str(), stdout) == EOF || std::fflush(stdout) != 0) {
      throw FileError("app.predict", "cannot write to standard output");
    }
    return kOk;
  }

 private:
  std::vector<fs::path> files() const { return {inputs_.begin(), inputs_.end()}; }

  std::string predict(const fs::path& bundle, AnswerForm form, const Context& context) {
    infer::Predictor predictor(bundle);
    if (csv_.missing == data::CsvOptions().missing) csv_.missing = predictor.missing().words;  // unless told otherwise
    warn_of(predictor.config(), form, context);
    return predict_files(predictor, files(), form, csv_);
  }

  std::string recommend(const fs::path& bundle, AnswerForm form, const Context& context) const {
    const infer::Recommender recommender(bundle);
    warn_of(recommender.config(), form, context);
    return recommend_files(recommender, files(), form, recommender_.top, csv_);
  }

  std::string forecast(const fs::path& bundle, AnswerForm form, const Context& context) {
    const infer::Forecaster forecaster(bundle);
    if (csv_.missing == data::CsvOptions().missing) csv_.missing = forecaster.missing().words;
    warn_of(forecaster.config(), form, context);
    return forecast_files(forecaster, files(), form, forecaster_.horizon, csv_);
  }

  std::string answer(const fs::path& bundle, AnswerForm form, const Context& context) const {
    const infer::Answerer answerer(bundle);
    warn_of(answerer.config(), form, context);
    return answer_files(answerer, files(), form, csv_);
  }

  // JSON lines say the notice themselves.
  static void warn_of(const Json& config, AnswerForm form, const Context& context) {
    const std::string notice = config.value("notice", "");
    if (!notice.empty() && form == AnswerForm::csv) context.console.warn("app.predict", notice);
  }

  AnswerForm answer_form() const {
    const fs::path extension = fs::path(output_).extension();
    if (output_.empty() || extension == ".jsonl") return AnswerForm::jsonl;
    if (extension == ".csv") return AnswerForm::csv;
    throw ConfigError("app.predict",
                      fmt::format("--output: got {}; expected a name that ends in .csv or .jsonl", output_));
  }

  std::string run_, output_;
  std::vector<std::string> inputs_;
  data::CsvOptions csv_;
  bool as_trained_ = false;
  RecommenderOptions recommender_;
  ForecasterOptions forecaster_;
};

}  // namespace

std::unique_ptr<Verb> make_predict_verb() { return std::make_unique<PredictVerb>(); }

}  // namespace danlu::app
