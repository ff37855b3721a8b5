// Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends the process at once.
#pragma once

#include <atomic>

namespace danlu::app {

void watch_stop_signals();
const std::atomic<bool>& stop_requested();

// Blocks until a stop is requested.
void wait_for_stop();

}  // namespace danlu::app
