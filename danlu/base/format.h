// fmt::format, included through this one header so that base alone owns the library. For .cpp files only: public headers
// of the installed library do not show it.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
