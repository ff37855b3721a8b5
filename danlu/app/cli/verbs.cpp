#include "danlu/app/cli/verbs.h"

#include "danlu/app/registry/recorder.h"

namespace danlu::app {

Observer Context::observer() const {
  const auto recorder = std::make_shared<RunRecorder>(runs, registry);
  Observer observer = console.observer();
  observer.on_change = [recorder](const RunDirectory& run) { recorder->changed(run); };
  observer.on_validated = [recorder](const RunDirectory& run) { recorder->validated(run); };
  return observer;
}

std::vector<std::unique_ptr<Verb>> make_verbs() {
  std::vector<std::unique_ptr<Verb>> verbs;
  verbs.push_back(make_run_verb());
  verbs.push_back(make_init_verb());
  verbs.push_back(make_check_verb());
  verbs.push_back(make_prepare_verb());
  verbs.push_back(make_train_verb());
  verbs.push_back(make_verify_verb());
  verbs.push_back(make_lr_range_verb());
  verbs.push_back(make_tune_verb());
  verbs.push_back(make_evaluate_verb());
  verbs.push_back(make_compress_verb());
  verbs.push_back(make_report_verb());
  verbs.push_back(make_predict_verb());
  verbs.push_back(make_explain_verb());
  verbs.push_back(make_generate_verb());
  verbs.push_back(make_tokenize_verb());
  verbs.push_back(make_import_verb());
  verbs.push_back(make_export_verb());
  verbs.push_back(make_serve_verb());
  verbs.push_back(make_runs_verb());
  verbs.push_back(make_bench_verb());
  verbs.push_back(make_doctor_verb());
  return verbs;
}

}  // namespace danlu::app
