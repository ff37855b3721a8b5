#include "danlu/engine/autograd/profiler.h"

#include "danlu/base/error.h"
#include "danlu/engine/tensor/allocator.h"

namespace danlu {
namespace {

thread_local Profiler* current = nullptr;

}  // namespace

Profiler::Profiler() {
  if (current != nullptr) throw InternalError("engine.profiler", "got a second profiler on one thread");
  current = this;
}
Profiler::~Profiler() { current = nullptr; }

Profiler* Profiler::active() { return current; }

void Profiler::mark(const char* name) {
  if (current != nullptr) current->add({.name = name});
}

void Profiler::add(ProfileEvent event) {
  event.begin_s = last_s_;
  event.end_s = last_s_ = timer_.seconds();
  event.active_bytes = allocator_stats().active_bytes;
  events_.push_back(event);
}

}  // namespace danlu
