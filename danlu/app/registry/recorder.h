// Keeps the registry in step with a run that is under way.
//
// A registry that was asked for by name must answer before anything begins. After that, and for the one beside the runs from the
// beginning, training does not depend on it: what cannot be written is said once, and read from the run directories by whoever
// lists the runs next.
#pragma once

#include <memory>
#include <string>

#include "danlu/app/recipe/throttle.h"
#include "danlu/app/registry/run_registry.h"

namespace danlu::app {

class RunRecorder {
 public:
  // Nothing is opened before the first run is recorded, unless `location` is given: then errors of opening it are thrown.
  RunRecorder(fs::path runs, std::string location);

  // A stage has begun or ended.
  void changed(const RunDirectory& run);
  // A validation is done: recorded too if that takes little of the training's time.
  void validated(const RunDirectory& run);

 private:
  fs::path runs_;
  std::string location_;
  std::unique_ptr<RunRegistry> registry_;
  bool warned_ = false;
  Throttle throttle_;
};

}  // namespace danlu::app
