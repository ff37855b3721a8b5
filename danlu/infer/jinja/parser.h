// From tokens to a tree.
#pragma once

#include <string_view>

#include "danlu/infer/jinja/ast.h"

namespace danlu::infer::jinja {

// Throws SyntaxError, also for statements, filters and tests that this evaluator does not have, and for trees that are
// too deep.
Block parse(std::string_view source);

}  // namespace danlu::infer::jinja
