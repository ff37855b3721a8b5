#include "danlu/app/recipe/predict_files.h"

#include <cstdio>

#include "danlu/app/cli/find_bundle.h"
#include "danlu/app/cli/verbs.h"
#include "danlu/app/recipe/recipe.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"

namespace danlu::app {
namespace {

class PredictVerb : public Verb {
 public:
  PredictVerb() : Verb("predict", "answer for files, as the server would") {}

  void declare(Arguments& arguments) override {
    arguments.word("run", run_, "a run, by name or path, or a bundle");
    arguments.words("inputs", inputs_, "table files, or image files and directories of them");
    arguments.option("-o,--output", output_, "a .csv or .jsonl file; default: JSON lines on standard output");
    arguments.flag("--as-trained", as_trained_, "read CSV files the way that the run's recipe reads its data");
    arguments.fields(csv_);
    arguments.examples("danlu predict medical new_patients.csv -o answers.csv\ndanlu predict fashion photos/ shoe.png");
  }

  int run(const Context& context) override {
    if (inputs_.empty()) throw ConfigError("app.predict", "expected at least one file to answer for");
    if (context.threads > 0) set_num_threads(context.threads);
    const AnswerForm form = answer_form();
    if (as_trained_) csv_ = reopen_recipe(find_run(run_, context.runs).file("resolved.yaml")).data.csv;
    infer::Predictor predictor(find_bundle(run_, context.runs));
    if (csv_.missing == data::CsvOptions().missing) csv_.missing = predictor.missing().words;  // unless told otherwise
    const std::string notice = predictor.config().value("notice", "");
    if (!notice.empty() && form == AnswerForm::csv) context.console.warn("app.predict", notice);  // JSON lines say it themselves
    const std::string answers = predict_files(predictor, {inputs_.begin(), inputs_.end()}, form, csv_);
    if (!output_.empty()) {
      write_file_atomic(output_, answers);
    } else if (std::fputs(answers.c_str(), stdout) == EOF || std::fflush(stdout) != 0) {
      throw FileError("app.predict", "cannot write to standard output");
    }
    return kOk;
  }

 private:
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
};

}  // namespace

std::unique_ptr<Verb> make_predict_verb() { return std::make_unique<PredictVerb>(); }

}  // namespace danlu::app
