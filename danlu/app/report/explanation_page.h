// Explained answers (explain/explain_files.h) as one page, like those of a report.
#pragma once

#include <string>

#include "danlu/base/json.h"

namespace danlu::app {

std::string explanation_page(const std::string& model, const std::string& notice, const Json& answers);

}  // namespace danlu::app
