#include "danlu/app/cli/spin_limit.h"

#include <stdlib.h>
#include <unistd.h>

namespace danlu::app {

void limit_spinning(int argc, char** argv) {
  const bool chosen = getenv("GOMP_SPINCOUNT") != nullptr || getenv("OMP_WAIT_POLICY") != nullptr;
  if (chosen || argc < 2 || argv[1][0] == '-') return;
  if (setenv("GOMP_SPINCOUNT", "5000", 1) == 0) ::execv("/proc/self/exe", argv);  // returns only if it fails
}

}  // namespace danlu::app
