// What every use of oneDNN shares: the engine, the stream of a thread, and primitives that are prepared once. For the onednn*.cpp files.
#pragma once

#include <cstdint>
#include <dnnl.hpp>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/hash.h"
#include "danlu/engine/kernels/isa.h"

namespace danlu::kernels {

inline const dnnl::engine& cpu_engine() {
  static const dnnl::engine engine = [] {
    active_isa();  // tells oneDNN of DANLU_ISA before its first primitive
    return dnnl::engine(dnnl::engine::kind::cpu, 0);
  }();
  return engine;
}

inline dnnl::stream& stream() {
  static thread_local dnnl::stream instance(cpu_engine());
  return instance;
}

[[noreturn]] inline void library_failed(const std::string& what, const dnnl::error& error) {
  throw InternalError("engine.onednn", fmt::format("{}: {}", what, error.message));
}

// Prepared primitives of this thread by the numbers that describe them. Training repeats its shapes, so a look-up nearly
// always finds; serving may bring a new batch size now and then, so the table is emptied when it grows without bound.
template <class Prepared>
class PrimitiveTable {
 public:
  template <class Make>
  Prepared& get(const std::vector<int64_t>& key, const Make& make) {
    const Hash128 hash = hash_bytes(key.data(), key.size() * sizeof(int64_t));
    const auto found = table_.find(hash);
    if (found != table_.end()) return *found->second;
    if (table_.size() >= kMaxEntries) table_.clear();
    return *table_.emplace(hash, make()).first->second;
  }

 private:
  static constexpr size_t kMaxEntries = 1024;
  std::unordered_map<Hash128, std::unique_ptr<Prepared>> table_;
};

}  // namespace danlu::kernels
