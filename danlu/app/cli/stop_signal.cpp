#include "danlu/app/cli/stop_signal.h"

#include <signal.h>

#include <chrono>
#include <thread>

namespace danlu::app {
namespace {

std::atomic<bool> stop_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may touch nothing else");

extern "C" void on_stop_signal(int number) {
  stop_flag.store(true);
  ::signal(number, SIG_DFL);
}

}  // namespace

void watch_stop_signals() {
  ::signal(SIGINT, on_stop_signal);
  ::signal(SIGTERM, on_stop_signal);
}

const std::atomic<bool>& stop_requested() { return stop_flag; }

void wait_for_stop() {
  using namespace std::chrono_literals;
  while (!stop_flag.load()) std::this_thread::sleep_for(50ms);
}

}  // namespace danlu::app
