#include "danlu/app/cli/console.h"

#include <cstdio>

#include "danlu/app/cli/progress.h"
#include "danlu/app/cli/stop_signal.h"
#include "danlu/base/format.h"
#include "danlu/base/log.h"

namespace danlu::app {

Console::Console(LogForm form) : form_(form), progress_(std::make_unique<Progress>(form == LogForm::text)) {
  set_log_sink([this](const LogRecord& record) {
    if (record.level == LogLevel::debug) return;
    if (record.level >= LogLevel::warning) return warn(std::string(record.where), std::string(record.message));
    note(fmt::format("{}\n", record.message), {{"event", "log"},
                                               {"level", log_level_name(record.level)},
                                               {"where", record.where},
                                               {"message", record.message}});
  });
}

Console::~Console() { set_log_sink({}); }

void Console::write(const std::string& text) {
  progress_->clear();
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

void Console::result(const std::string& text, const Json& json) {
  write(form_ == LogForm::json ? to_line(json) + "\n" : text);
}

void Console::note(const std::string& text, const Json& event) {
  if (form_ != LogForm::quiet) result(text, event);
}

void Console::restart_progress() { progress_->start(); }

void Console::warn(const std::string& where, const std::string& text) {
  if (form_ == LogForm::json) return write(to_line({{"event", "warning"}, {"where", where}, {"message", text}}) + "\n");
  progress_->clear();
  std::fputs(fmt::format("danlu: warning: [{}] {}\n", where, text).c_str(), stderr);
}

Observer Console::observer() {
  watch_stop_signals();
  const auto event = [this](const Json& json) {
    if (form_ == LogForm::json) write(to_line(json) + "\n");
  };
  Observer o;
  o.on_stage = [=, this](const std::string& stage) {
    progress_->start();
    note(fmt::format("== {}\n", stage), {{"event", "stage"}, {"stage", stage}});
  };
  o.on_report = [=, this](const std::string& name, const std::string& text, const Json& json) {
    note(text + "\n", {{"event", "report"}, {"report", name}, {"content", json}});
  };
  o.on_fold = [=, this](int64_t done, int64_t total) {
    progress_->fold(done, total);
    event({{"event", "fold"}, {"done", done}, {"total", total}, {"eta_s", progress_->remaining_s()}});
  };
  o.training.on_step = [=, this](const train::StepReport& r) {
    if (!progress_->is_due()) return;
    progress_->step(r);
    event({{"event", "step"},
           {"step", r.progress.step},
           {"epoch", r.progress.epoch},
           {"loss", r.loss},
           {"average_loss", r.average_loss},
           {"lr", r.lr},
           {"gradient_norm", r.gradient_norm},
           {std::string(r.unit) + "_per_second", r.terms_per_second},
           {"eta_s", progress_->remaining_s()}});
  };
  o.training.on_resume = [=, this](int64_t step, int64_t /*validated*/) {
    note(fmt::format("goes on from step {}\n", step), {{"event", "resume"}, {"step", step}});
  };
  o.training.on_epoch = [=, this](const train::EpochReport& r) {
    progress_->epoch(r);
    event({{"event", "epoch"},
           {"step", r.progress.step},
           {"epoch", r.progress.epoch},
           {"seconds", r.seconds},
           {"train_loss", r.train_loss},
           {"train_accuracy", r.train_accuracy ? Json(*r.train_accuracy) : Json(nullptr)},
           {"validation_loss", r.validation_loss ? Json(*r.validation_loss) : Json(nullptr)},
           {"validation_accuracy", r.validation_accuracy ? Json(*r.validation_accuracy) : Json(nullptr)},
           {"lr", r.lr},
           {"best", r.is_best},
           {"eta_s", progress_->remaining_s()}});
  };
  o.training.stop_requested = &stop_requested();
  return o;
}

}  // namespace danlu::app
