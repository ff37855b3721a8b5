#include "danlu/app/cli/find_bundle.h"

#include "danlu/app/recipe/run_directory.h"
#include "danlu/infer/gguf_language_model.h"

namespace danlu::app {

fs::path find_bundle(const std::string& name_or_path, const fs::path& runs) {
  if (infer::is_gguf(name_or_path)) return name_or_path;
  // A run directory has a config.json of its own; what makes a bundle is the model beside it.
  for (const char* weights : {"model.safetensors", "model.safetensors.index.json"}) {
    if (fs::exists(fs::path(name_or_path) / weights)) return name_or_path;
  }
  return find_run(name_or_path, runs).bundle();
}

}  // namespace danlu::app
