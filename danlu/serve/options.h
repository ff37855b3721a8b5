// The switches of `danlu serve`: those of its parts, and its own.
#pragma once

#include "danlu/base/options.h"
#include "danlu/serve/batcher.h"
#include "danlu/serve/http/options.h"

namespace danlu::serve {

struct ServeOptions {
  HttpOptions http = {};
  BatchOptions batch = {};  // of each model
  bool metrics = true;

  // One flat list: a user need not know which part a switch belongs to.
  void describe(OptionVisitor& v) {
    http.describe(v);
    batch.describe(v);
    v.field("metrics", metrics, "answer GET /metrics");
  }
};

}  // namespace danlu::serve
