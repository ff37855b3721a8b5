// What this build is: for --version, run records and bundles.
#pragma once

namespace danlu {

const char* version();     // "0.1.0"
const char* build_type();  // "Release"
const char* compiler();    // "GNU 12.2.0"

}  // namespace danlu
