#include "danlu/app/cli/console.h"

#include <signal.h>
#include <unistd.h>

#include "danlu/base/format.h"
#include "danlu/base/log.h"

namespace danlu::app {
namespace {

constexpr double kTerminalInterval_s = 0.2;
constexpr double kPipeInterval_s = 10;

std::atomic<bool> stop_flag{false};

extern "C" void on_signal(int number) {
  stop_flag.store(true);
  ::signal(number, SIG_DFL);
}

Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

}  // namespace

const std::atomic<bool>& stop_requested() { return stop_flag; }

void watch_signals() {
  ::signal(SIGINT, on_signal);
  ::signal(SIGTERM, on_signal);
}

Console::Console(LogForm form) : form_(form), terminal_(form == LogForm::text && ::isatty(STDERR_FILENO) == 1) {
  set_log_sink([this](const LogRecord& record) {
    if (record.level == LogLevel::debug) return;
    if (form_ == LogForm::json) event({{"event", "log"}, {"level", log_level_name(record.level)}, {"where", record.where}, {"message", record.message}});
    else if (record.level >= LogLevel::warning) warn(fmt::format("[{}] {}", record.where, record.message));
    else print(fmt::format("{}\n", record.message));
  });
}

Console::~Console() {
  set_log_sink({});
  clear_progress();
}

void Console::print(const std::string& text) {
  if (form_ == LogForm::quiet) return;
  if (form_ == LogForm::json) return event({{"event", "text"}, {"text", text}});
  clear_progress();
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

void Console::event(const Json& json) {
  if (form_ != LogForm::json) return;
  std::fputs((to_line(json) + "\n").c_str(), stdout);
  std::fflush(stdout);
}

void Console::warn(const std::string& text) {
  clear_progress();
  std::fputs(fmt::format("danlu: warning: {}\n", text).c_str(), stderr);
}

Observer Console::observer() {
  Observer o;
  o.on_stage = [this](const std::string& stage) { on_stage(stage); };
  o.on_text = [this](const std::string& text) { print(text + "\n"); };
  o.on_fold = [this](int64_t done, int64_t total) { on_fold(done, total); };
  o.training.on_step = [this](const train::StepReport& report) { on_step(report); };
  o.training.on_epoch = [this](const train::EpochReport& report) { on_epoch(report); };
  o.training.stop_requested = &stop_flag;
  return o;
}

void Console::on_stage(const std::string& stage) {
  stage_ = stage;
  eta_ = Eta();
  event({{"event", "stage"}, {"stage", stage}});
  if (form_ == LogForm::text) print(fmt::format("== {}\n", stage));
}

void Console::on_step(const train::StepReport& r) {
  if (form_ == LogForm::quiet || since_line_.seconds() < (terminal_ ? kTerminalInterval_s : kPipeInterval_s)) return;
  eta_.update(r.progress.fraction);
  event({{"event", "step"}, {"step", r.progress.step}, {"epoch", r.progress.epoch}, {"loss", r.loss}, {"average_loss", r.average_loss}, {"lr", r.lr},
         {"gradient_norm", r.gradient_norm}, {"samples_per_second", r.samples_per_second}, {"eta_s", eta_.remaining_s()}});
  if (form_ != LogForm::text) return since_line_.reset();
  progress(fmt::format("epoch {:.2f}  {:3.0f} %  loss {:.4f}  accuracy {:.4f}  lr {:.2e}  {:.0f} samples/s  {} left", r.progress.epoch, 100 * r.progress.fraction,
                       r.average_loss, r.average_accuracy, r.lr, r.samples_per_second, format_duration(eta_.remaining_s())),
           false);
}

void Console::on_epoch(const train::EpochReport& r) {
  eta_.update(r.progress.fraction);
  event({{"event", "epoch"}, {"step", r.progress.step}, {"epoch", r.progress.epoch}, {"seconds", r.seconds}, {"train_loss", r.train_loss},
         {"train_accuracy", r.train_accuracy}, {"validation_loss", number_or_null(r.validation_loss)},
         {"validation_accuracy", number_or_null(r.validation_accuracy)}, {"lr", r.lr}, {"best", r.is_best}, {"eta_s", eta_.remaining_s()}});
  if (form_ != LogForm::text) return;
  // Quick epochs of small tables would fill the screen; they share the progress line.
  const bool quick = r.seconds / std::max(r.progress.epoch, 1.0) < 0.5;
  std::string text = fmt::format("epoch {:<6.4g} train loss {:.4f} accuracy {:.4f}", r.progress.epoch, r.train_loss, r.train_accuracy);
  if (r.validation_loss) text += fmt::format("   validation loss {:.4f} accuracy {:.4f}{}", *r.validation_loss, *r.validation_accuracy, r.is_best ? " *" : "");
  text += fmt::format("   {}, {} left", format_duration(r.seconds), format_duration(eta_.remaining_s()));
  if (!quick || r.progress.fraction >= 1) return progress(text, true);
  if (since_line_.seconds() >= (terminal_ ? kTerminalInterval_s : kPipeInterval_s)) progress(text, false);
}

void Console::on_fold(int64_t done, int64_t total) {
  eta_.update(static_cast<double>(done) / static_cast<double>(total));
  event({{"event", "fold"}, {"done", done}, {"total", total}, {"eta_s", eta_.remaining_s()}});
  if (form_ != LogForm::text) return;
  if (done == total || since_line_.seconds() >= (terminal_ ? kTerminalInterval_s : kPipeInterval_s)) {
    progress(fmt::format("fold {} of {}   {} left", done, total, format_duration(eta_.remaining_s())), done == total);
  }
}

void Console::progress(const std::string& line, bool last) {
  since_line_.reset();
  if (!terminal_) {
    std::fputs((line + "\n").c_str(), stdout);
    std::fflush(stdout);
    return;
  }
  std::fputs(fmt::format("\r\033[K{}{}", line, last ? "\n" : "").c_str(), stderr);
  line_open_ = !last;
}

void Console::clear_progress() {
  if (!line_open_) return;
  std::fputs("\r\033[K", stderr);
  line_open_ = false;
}

}  // namespace danlu::app
