#include "danlu/learn/registry/database.h"

#include <chrono>
#include <thread>

namespace danlu::registry {

void Database::atomically(const std::function<void()>& work) {
  constexpr int kTries = 20;
  for (int attempt = 1;; ++attempt) {
    begin_writing();
    try {
      work();
      commit();
      return;
    } catch (const Conflict&) {
      rollback();
      if (attempt == kTries) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(attempt));
    } catch (...) {
      rollback();
      throw;
    }
  }
}

void Database::reading(const std::function<void()>& work) {
  begin_reading();
  try {
    work();
    commit();
  } catch (...) {
    rollback();
    throw;
  }
}

}  // namespace danlu::registry
