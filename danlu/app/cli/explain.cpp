#include <cstdio>

#include "danlu/app/cli/find_bundle.h"
#include "danlu/app/cli/verbs.h"
#include "danlu/app/explain/explain_files.h"
#include "danlu/app/explain/explain_run.h"
#include "danlu/app/recipe/run_directory.h"
#include "danlu/app/report/explanation_page.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"

namespace danlu::app {
namespace {

class ExplainVerb : public Verb {
 public:
  ExplainVerb() : Verb("explain", "say why a model answers as it does: on the whole, or for files") {}

  void declare(Arguments& arguments) override {
    arguments.word("run", run_, "a run, by name or path, or a bundle");
    arguments.words("inputs", inputs_, "table files, or image files and directories of them; default: what its evaluation found");
    arguments.option("-o,--output", output_, "a .jsonl or .html file; default: JSON lines on standard output");
    arguments.fields(options_);
    arguments.fields(csv_);
    arguments.examples("danlu explain credit\ndanlu explain credit applicants.csv\ndanlu explain fashion photos/ -o why.html\ndanlu explain rides measured.csv");
  }

  int run(const Context& context) override {
    if (context.threads > 0) set_num_threads(context.threads);
    const std::string form = fs::path(output_).extension().string();
    if (!output_.empty() && form != ".jsonl" && form != ".html") {
      throw ConfigError(kWhere, fmt::format("--output: got {}; expected a name that ends in .jsonl or .html", output_));
    }
    return inputs_.empty() ? explain_evaluation(context) : explain_inputs(context, form);
  }

 private:
  static constexpr const char* kWhere = "app.explain";

  struct Options {
    int64_t most = 0;
    void describe(OptionVisitor& v) { v.field("most", most, {0, 1e9}, "rows or images, from the first; 0: all"); }
  };

  int explain_evaluation(const Context& context) const {
    if (!output_.empty()) throw ConfigError(kWhere, "--output is for files; the run's report.html shows what its evaluation found");
    const RunDirectory directory = find_run(run_, context.runs);
    const Json found = directory.json("explanation.json");
    if (found.empty()) throw DataError(kWhere, fmt::format("{} {}", directory.path().string(), why_none(directory)));
    context.console.result(explanation_text(found), found);
    return kOk;
  }

  // Why a run has no explanation.json, and what can be done.
  static std::string why_none(const RunDirectory& directory) {
    const std::string path = directory.path().string();
    if (!fs::exists(directory.file("resolved.yaml"))) return "is no run of a recipe: its model came as it is, and nothing was explained";
    const Recipe recipe = reopen_recipe(directory.file("resolved.yaml"));
    const bool explained = recipe.kind() == RecipeKind::forecast || (recipe.kind() == RecipeKind::prediction && recipe.data.table.targets.empty());
    if (!explained) return "has no reasons to give: they are found for models of rows, images and texts with one target, and of series; its report.html says how it answers";
    if (!fs::exists(directory.file("report.json"))) return fmt::format("has not been evaluated, which finds the reasons: danlu evaluate {}", path);
    if (recipe.evaluate.explain_seconds <= 0) return fmt::format("was evaluated with evaluate.explain_seconds: 0; set it higher and run the recipe again, or explain files: danlu explain {} FILE", path);
    return fmt::format("was evaluated by an earlier version of danlu; evaluate it again: danlu evaluate {}", path);
  }

  int explain_inputs(const Context& context, const std::string& form) {
    const fs::path bundle = find_bundle(run_, context.runs);
    const std::vector<fs::path> files(inputs_.begin(), inputs_.end());
    const auto read_gaps_as = [&](const data::MissingWords& missing) {
      if (csv_.missing == data::CsvOptions().missing) csv_.missing = missing.words;  // unless told otherwise
    };
    if (infer::is_forecaster(bundle)) {
      const infer::Forecaster forecaster(bundle);
      read_gaps_as(forecaster.missing());
      return write(form, forecaster.name(), forecaster.config(), explain_forecast_files(forecaster, files, csv_, options_.most));
    }
    infer::Predictor predictor(bundle);
    read_gaps_as(predictor.missing());
    return write(form, predictor.name(), predictor.config(), explain_files(predictor, files, csv_, options_.most));
  }

  int write(const std::string& form, const std::string& name, const Json& config, const Json& answers) const {
    std::string text;
    if (form == ".html") {
      text = explanation_page(name, config.value("notice", ""), answers);
    } else {
      for (const Json& answer : answers) text += to_line(answer) + "\n";
    }
    if (!output_.empty()) {
      write_file_atomic(output_, text);
    } else if (std::fputs(text.c_str(), stdout) == EOF || std::fflush(stdout) != 0) {
      throw FileError(kWhere, "cannot write to standard output");
    }
    return kOk;
  }

  std::string run_, output_;
  std::vector<std::string> inputs_;
  Options options_;
  data::CsvOptions csv_;
};

}  // namespace

std::unique_ptr<Verb> make_explain_verb() { return std::make_unique<ExplainVerb>(); }

}  // namespace danlu::app
