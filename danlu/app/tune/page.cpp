#include "danlu/app/tune/results.h"

namespace danlu::app {

std::string tune_page(const Json& results) { return to_line(results); }

}  // namespace danlu::app
