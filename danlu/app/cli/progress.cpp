#include "danlu/app/cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "danlu/base/format.h"

namespace danlu::app {
namespace {

constexpr double kTerminalInterval_s = 0.2;
constexpr double kPipeInterval_s = 10;
constexpr double kQuickEpoch_s = 0.5;  // quicker ones would fill the screen; they share the passing line

std::string left(const Eta& eta) {
  return eta.remaining_s() < 0 ? "" : fmt::format("   {} left", format_duration(eta.remaining_s()));
}

// " accuracy 0.9731", or nothing where there are no classes.
std::string accuracy_text(const std::optional<double>& accuracy) {
  return accuracy ? fmt::format(" accuracy {:.4f}", *accuracy) : "";
}

}  // namespace

Progress::Progress(bool shows) : shows_(shows), terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::start() {
  clear();
  eta_ = Eta();
}

bool Progress::is_due() const { return since_line_.seconds() >= (terminal_ ? kTerminalInterval_s : kPipeInterval_s); }

void Progress::step(const train::StepReport& r) {
  eta_.update(r.progress.fraction);
  show(fmt::format("epoch {:.2f}  {:3.0f} %  loss {:.4f}{}  lr {:.2e}  {:.0f} {}/s{}",
                   r.progress.epoch, 100 * r.progress.fraction, r.average_loss, accuracy_text(r.average_accuracy), r.lr,
                   r.terms_per_second, r.unit, left(eta_)),
       Line::passing);
}

void Progress::epoch(const train::EpochReport& r) {
  eta_.update(r.progress.fraction);
  std::string text =
      fmt::format("epoch {:<6.4g} train loss {:.4f}{}", r.progress.epoch, r.train_loss, accuracy_text(r.train_accuracy));
  if (r.validation_loss) {
    text += fmt::format("   validation loss {:.4f}{}{}", *r.validation_loss, accuracy_text(r.validation_accuracy),
                        r.is_best ? " *" : "  ");
  }
  text += fmt::format("   {}", format_duration(r.seconds));
  const bool quick = r.seconds / std::max(r.progress.epoch, 1.0) < kQuickEpoch_s;
  const bool last = r.progress.fraction >= 1;
  if (last || !quick) {
    show(text + (last ? "" : left(eta_)), Line::lasting);
  } else if (is_due()) {
    show(text + left(eta_), Line::passing);
  }
}

void Progress::fold(int64_t done, int64_t total) {
  eta_.update(static_cast<double>(done) / static_cast<double>(total));
  if (is_due() && done < total) show(fmt::format("fold {} of {}{}", done, total, left(eta_)), Line::passing);
}

void Progress::show(const std::string& text, Line line) {
  since_line_.reset();
  if (!shows_) return;
  if (!terminal_) {
    std::fputs((text + "\n").c_str(), stderr);
    return;
  }
  open_ = line == Line::passing;
  std::fputs(fmt::format("\r\033[K{}{}", text, open_ ? "" : "\n").c_str(), stderr);
}

void Progress::clear() {
  if (open_) std::fputs("\r\033[K", stderr);
  open_ = false;
}

}  // namespace danlu::app
