#include "danlu/learn/registry/database.h"

namespace danlu::registry {

std::unique_ptr<Database> open_postgresql(const Location& location) {
  throw ConfigError("learn.registry", "got " + location.shown() + "; this danlu was built without PostgreSQL: install libpq-dev and build again, or give "
                                      "--registry the path of a file");
}

}  // namespace danlu::registry
