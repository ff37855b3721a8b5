// Making the network that a bundle's config.json describes, which may come from anywhere.
#pragma once

#include <functional>
#include <string>

#include "danlu/base/files.h"

namespace danlu::infer {

// Calls make(), which makes a network, with room for no more weights than their file can hold, and for `more` bytes besides: absurd widths
// are refused before their memory is taken. Throws FileError if there is no such file; DataError, naming `config`, for what make() refuses.
void make_bounded(const fs::path& weights, const std::string& config, const char* where, const std::function<void()>& make, int64_t more = 0);

}  // namespace danlu::infer
