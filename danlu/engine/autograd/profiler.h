// What each operation of this thread took, forward and backward, as the tape sees it.
//
//   Profiler profiler;
//   train some steps
//   for (const ProfileEvent& event : profiler.events()) ...
//
// An operation is charged with the time since the one before it, so all of a step's time is accounted for; what is no operation
// (the optimiser, reading a batch) is charged by Profiler::mark(). Operations that record nothing (outside of training) are not seen:
// their time goes to the next event.
// Threads: of this thread alone; one at a time on a thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "danlu/base/timer.h"
#include "danlu/engine/autograd/layer_scope.h"
#include "danlu/engine/tensor/shape.h"

namespace danlu {

struct ProfileEvent {
  enum class Kind { forward, backward, other };
  Kind kind = Kind::other;
  const char* name = "";   // of the operation (ops.def), or what mark() said
  const char* layer = "";  // layer_scope.h
  double begin_s = 0, end_s = 0;
  Shape output = {};                  // of the operation
  std::array<Shape, 3> inputs = {};   // the first three; rank 0 where there are fewer
  int gradients = 0;                  // inputs whose gradient was asked for
  int64_t active_bytes = 0;           // in tensors of the whole process, at the end
};

class Profiler {
 public:
  Profiler();
  ~Profiler();
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;

  const std::vector<ProfileEvent>& events() const { return events_; }
  double seconds() const { return timer_.seconds(); }

  // Charges the time since the last event to `name`, a literal, on the profiler of this thread if there is one.
  static void mark(const char* name);
  static Profiler* active();

  // ---- for the tape
  void add(ProfileEvent event);

 private:
  WatchLayers watch_;
  Timer timer_;
  double last_s_ = 0;
  std::vector<ProfileEvent> events_;
};

}  // namespace danlu
