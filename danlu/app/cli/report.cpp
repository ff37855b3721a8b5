#include "danlu/app/cli/verbs.h"
#include "danlu/app/recipe/run_directory.h"
#include "danlu/app/report/run_report.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

class ReportVerb : public Verb {
 public:
  ReportVerb() : Verb("report", "make report.html of a run again: one page that needs no network") {}

  void declare(Arguments& arguments) override {
    arguments.word("run", run_, "a run, by name or path; as far as it has come");
    arguments.option("--to", to_, "another file than report.html in the run directory");
    arguments.examples("danlu report medical\ndanlu report medical --to medical.html");
  }

  int run(const Context& context) override {
    const RunDirectory run = find_run(run_, context.runs);
    fs::path path = to_;
    if (to_.empty()) path = write_run_report(run);
    else write_file_atomic(path, run_report(run));
    context.console.result(fmt::format("{}\n", path.string()), {{"event", "report"}, {"run", run.path().string()}, {"file", path.string()}});
    return kOk;
  }

 private:
  std::string run_, to_;
};

}  // namespace

std::unique_ptr<Verb> make_report_verb() { return std::make_unique<ReportVerb>(); }

}  // namespace danlu::app
