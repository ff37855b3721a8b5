// What there is to know of interactions before anything is learnt from them: how many, how thin, how they are divided, and what may
// spoil a measurement.
#pragma once

#include <string>

#include "danlu/base/json.h"
#include "danlu/data/interactions/leave_last_out.h"

namespace danlu::data {

struct InteractionReport {
  Json json;  // findings are {"severity": "warning", "check", "column": "", "text"}, as for tables
  std::string text;
  bool passed = true;  // no failure among the findings
};

InteractionReport report_interactions(const Interactions& interactions, const LeaveLastOut& split, const std::string& source);

}  // namespace danlu::data
