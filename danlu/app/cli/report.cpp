#include "danlu/app/cli/verbs.h"
#include "danlu/app/recipe/run_directory.h"
#include "danlu/app/report/comparison.h"
#include "danlu/app/report/run_report.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

class ReportVerb : public Verb {
 public:
  ReportVerb() : Verb("report", "make report.html of a run again, or compare runs: one page that needs no network") {}

  void declare(Arguments& arguments) override {
    arguments.word("run", run_, "a run, by name or path; as far as it has come");
    arguments.words("others", others_, "runs to compare with it, side by side on one page");
    arguments.option("--to", to_, "another file than report.html in the run directory; a comparison needs one");
    arguments.examples("danlu report medical\ndanlu report medical --to medical.html\ndanlu report medical medical-wide --to wide.html");
  }

  int run(const Context& context) override {
    const RunDirectory run = find_run(run_, context.runs);
    if (!others_.empty()) return compare(context, run);
    fs::path path = to_;
    if (to_.empty()) path = write_run_report(run);
    else write_file_atomic(path, run_report(run));
    context.console.result(fmt::format("{}\n", path.string()), {{"event", "report"}, {"run", run.path().string()}, {"file", path.string()}});
    return kOk;
  }

 private:
  int compare(const Context& context, const RunDirectory& first) const {
    if (to_.empty()) throw ConfigError("app.report", fmt::format("got {} runs to compare and no file; expected --to FILE.html", 1 + others_.size()));
    std::vector<RunDirectory> runs = {first};
    Json paths = {first.path().string()};
    for (const std::string& name : others_) {
      runs.push_back(find_run(name, context.runs));
      paths.push_back(runs.back().path().string());
    }
    write_file_atomic(to_, comparison_report(runs));
    context.console.result(fmt::format("{}\n", to_), {{"event", "report"}, {"runs", paths}, {"file", to_}});
    return kOk;
  }

  std::string run_, to_;
  std::vector<std::string> others_;
};

}  // namespace

std::unique_ptr<Verb> make_report_verb() { return std::make_unique<ReportVerb>(); }

}  // namespace danlu::app
