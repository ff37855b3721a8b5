// A wall clock that jumps by days at every look, forwards and backwards, to be preloaded. Clocks that only go on are as they were.
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace {

long jump() {
  static std::atomic<long> looks{0};
  constexpr long kDay = 24 * 3600, kDays[] = {0, 3, -400, 10000, -1, 36500, -7};
  return kDay * kDays[looks++ % 7];
}

int look(clockid_t clock, timespec* now) {
  const long result = ::syscall(SYS_clock_gettime, clock, now);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += jump();
  return static_cast<int>(result);
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) { return look(clock, now); }

time_t time(time_t* out) {
  timespec now{};
  look(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(timeval* out, void* /*zone*/) {
  timespec now{};
  look(CLOCK_REALTIME, &now);
  *out = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

}
