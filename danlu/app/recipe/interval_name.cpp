#include "danlu/app/recipe/interval_name.h"

#include "danlu/base/format.h"
#include "danlu/eval/bootstrap.h"

namespace danlu::app {

std::string interval_name(const Json& measured) {
  return fmt::format("{:g} % interval", 100 * measured.value("confidence", eval::BootstrapOptions().confidence));
}

}  // namespace danlu::app
