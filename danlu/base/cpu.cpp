#include "danlu/base/cpu.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

namespace danlu {
namespace {

CpuInfo read_cpu_info() {
  CpuInfo info;
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) info.processors = CPU_COUNT(&allowed);
  info.memory_bytes = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);

  static const std::set<std::string> kOfInterest = {
      "sse4_1", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512_vnni", "avx512_bf16",
      "avx512_fp16", "avx_vnni", "amx_bf16", "amx_int8", "asimd", "sve"};
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line) && (info.model.empty() || info.features.empty());) {
    const size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string value = line.substr(colon + 2);
    if (line.starts_with("model name") && info.model.empty()) info.model = value;
    if ((line.starts_with("flags") || line.starts_with("Features")) && info.features.empty()) {
      std::istringstream words(value);
      for (std::string word; words >> word;) {
        if (kOfInterest.contains(word)) info.features.push_back(word);
      }
    }
  }
  return info;
}

}  // namespace

const CpuInfo& cpu_info() {
  static const CpuInfo info = read_cpu_info();
  return info;
}

int64_t cache_bytes(int level) {
  const std::string caches = "/sys/devices/system/cpu/cpu0/cache/index";
  for (int i = 0;; ++i) {
    const std::string cache = caches + std::to_string(i);
    int found = 0;
    if (!(std::ifstream(cache + "/level") >> found)) return 0;
    std::string type;
    std::ifstream(cache + "/type") >> type;
    int64_t kib = 0;
    if (found == level && type != "Instruction" && std::ifstream(cache + "/size") >> kib) return kib * 1024;  // "512K"
  }
}

int64_t peak_memory_bytes() {
  rusage usage{};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? int64_t{usage.ru_maxrss} * 1024 : 0;
}

}  // namespace danlu
