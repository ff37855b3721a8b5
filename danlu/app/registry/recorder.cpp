#include "danlu/app/registry/recorder.h"

#include "danlu/base/format.h"
#include "danlu/base/log.h"

namespace danlu::app {

RunRecorder::RunRecorder(fs::path runs, std::string location) : runs_(std::move(runs)), location_(std::move(location)) {
  if (!location_.empty()) registry_ = std::make_unique<RunRegistry>(runs_, location_);
}

void RunRecorder::changed(const RunDirectory& run) {
  throttle_.run([&] {
    try {
      if (registry_ == nullptr) registry_ = std::make_unique<RunRegistry>(runs_, location_);
      registry_->record(run);
    } catch (const std::exception& error) {  // of the file system too: no training ends for this
      registry_.reset();                     // a connection that is lost may be had again at the next stage
      if (!warned_) log_warning("app.registry", fmt::format("{}; the run goes on, and `danlu runs` will read it from its directory", error.what()));
      warned_ = true;
    }
  });
}

void RunRecorder::validated(const RunDirectory& run) {
  if (registry_ != nullptr && throttle_.is_due()) changed(run);
}

}  // namespace danlu::app
