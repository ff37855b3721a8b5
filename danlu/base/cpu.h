// What the processor can do, for the kernels' dispatch and for `danlu doctor`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace danlu {

struct CpuInfo {
  std::string model;                  // "Intel(R) Xeon(R) Processor"
  int processors = 1;                 // that this process may use
  std::vector<std::string> features;  // of those that matter here: "avx2", "fma", "avx512f", "avx512_vnni", "amx_int8" ...
  int64_t memory_bytes = 0;
};

// Read once from /proc; empty fields where that is not possible.
const CpuInfo& cpu_info();

// Bytes of the data cache of a level, 1 to 3, that the first processor uses, alone or with others; 0 if the system does not say.
int64_t cache_bytes(int level);

// Peak resident memory of this process so far.
int64_t peak_memory_bytes();

}  // namespace danlu
