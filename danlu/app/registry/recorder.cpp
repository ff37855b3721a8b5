#include "danlu/app/registry/recorder.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/log.h"

namespace danlu::app {

RunRecorder::RunRecorder(fs::path runs, std::string location) : runs_(std::move(runs)), location_(std::move(location)) {
  if (!location_.empty()) registry_ = std::make_unique<RunRegistry>(runs_, location_);
}

void RunRecorder::changed(const RunDirectory& run) {
  since_.reset();
  try {
    if (registry_ == nullptr) registry_ = std::make_unique<RunRegistry>(runs_, location_);
    registry_->record(run);
  } catch (const Error& error) {
    registry_.reset();  // a connection that is lost may be had again at the next stage
    if (!warned_) log_warning("app.registry", fmt::format("{}; the run goes on, and `danlu runs` will read it from its directory", error.what()));
    warned_ = true;
  }
  cost_ = since_.seconds();
  since_.reset();
}

void RunRecorder::validated(const RunDirectory& run) {
  constexpr double kSeconds = 5, kShare = 0.005;
  if (registry_ != nullptr && since_.seconds() > std::max(kSeconds, cost_ / kShare)) changed(run);
}

}  // namespace danlu::app
