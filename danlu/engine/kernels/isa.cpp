#include "danlu/engine/kernels/isa.h"

#include <hwy/targets.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <dnnl.hpp>
#include <optional>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::kernels {
namespace {

struct Entry {
  Isa isa;
  const char* name;
  int64_t highway;
  dnnl::cpu_isa onednn;
};

// oneDNN has no scalar mode: its least is SSE4.1.
constexpr Entry kIsas[] = {{Isa::scalar, "scalar", HWY_SCALAR | HWY_EMU128, dnnl::cpu_isa::sse41},
                           {Isa::sse4, "sse4", HWY_SSE4, dnnl::cpu_isa::sse41},
                           {Isa::avx2, "avx2", HWY_AVX2, dnnl::cpu_isa::avx2},
                           {Isa::avx512, "avx512", HWY_AVX3, dnnl::cpu_isa::avx512_core_bf16},
                           {Isa::amx, "amx", HWY_AVX3, dnnl::cpu_isa::all}};

const Entry& entry(Isa isa) { return kIsas[static_cast<size_t>(isa)]; }

// The kernel of the system saves tiles for a process that asked for them once.
bool has_tiles() {
#if HWY_ARCH_X86_64 && defined(__linux__)
  static const bool has = [] {
    constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    return __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16") && __builtin_cpu_supports("amx-int8") &&
           __builtin_cpu_supports("avx512bf16") && ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  }();
  return has;
#else
  return false;
#endif
}

bool supported(const Entry& e) {
  if (e.isa == Isa::scalar) return true;
  return (hwy::SupportedTargets() & e.highway) != 0 && (e.isa != Isa::amx || has_tiles());
}

std::optional<Isa>& forced() {
  static std::optional<Isa> isa;
  return isa;
}

Isa best_isa() {
  Isa best = Isa::scalar;
  for (const Entry& e : kIsas) {
    if (supported(e)) best = e.isa;
  }
  return best;
}

void restrict_highway(Isa isa) {
  hwy::SetSupportedTargetsForTest(entry(isa).highway);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

Isa isa_from_environment() {
  const char* word = std::getenv("DANLU_ISA");
  if (word == nullptr || word[0] == '\0') return best_isa();
  for (const Entry& e : kIsas) {
    if (std::string(word) != e.name) continue;
    if (!supported(e)) {
      throw ConfigError("engine.isa", fmt::format("got DANLU_ISA={}; this processor runs at most {}", word, isa_name(best_isa())));
    }
    dnnl::set_max_cpu_isa(e.onednn);
    return e.isa;
  }
  throw ConfigError("engine.isa", fmt::format("got DANLU_ISA={}; expected scalar, sse4, avx2, avx512 or amx", word));
}

}  // namespace

const char* isa_name(Isa isa) { return entry(isa).name; }

const std::vector<Isa>& supported_isas() {
  static const std::vector<Isa> isas = [] {
    active_isa();
    hwy::SetSupportedTargetsForTest(0);  // what the processor can do, whatever was chosen
    std::vector<Isa> found;
    for (const Entry& e : kIsas) {
      if (supported(e)) found.push_back(e.isa);
    }
    restrict_highway(active_isa());
    return found;
  }();
  return isas;
}

Isa active_isa() {
  static const Isa initial = [] {
    const Isa isa = isa_from_environment();
    restrict_highway(isa);
    return isa;
  }();
  return forced().value_or(initial);
}

void set_isa(Isa isa) {
  const std::vector<Isa>& isas = supported_isas();
  if (std::find(isas.begin(), isas.end(), isa) == isas.end()) {
    throw ConfigError("engine.isa", fmt::format("got {}; this processor runs at most {}", isa_name(isa), isa_name(isas.back())));
  }
  restrict_highway(isa);
  forced() = isa;
}

}  // namespace danlu::kernels
