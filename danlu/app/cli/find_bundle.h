// A model to answer with, as predict and serve are told of one.
#pragma once

#include <string>

#include "danlu/base/files.h"

namespace danlu::app {

// The bundle of a run (by name or path), or a bundle or .gguf file by path. Throws FileError naming the runs that there are.
fs::path find_bundle(const std::string& name_or_path, const fs::path& runs);

}  // namespace danlu::app
