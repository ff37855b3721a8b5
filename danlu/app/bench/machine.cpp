#include "danlu/app/bench/machine.h"

#include <algorithm>

#include "danlu/base/cpu.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"
#include "danlu/base/timer.h"
#include "danlu/engine/kernels/gemm.h"
#include "danlu/engine/kernels/machine_peak.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::app {
namespace {

struct Product {
  int64_t m, n, k;
};

// FLOP/s of our own product, the best of a few.
double gemm_peak(const Product& p) {
  constexpr double kSeconds = 0.3;
  const Tensor a = Tensor::full({p.m, p.k}, 0.5f), b = Tensor::full({p.k, p.n}, 0.25f);
  Tensor c = Tensor::empty({p.m, p.n});
  double best = 0;
  for (const Timer total; total.seconds() < kSeconds;) {
    const Timer timer;
    kernels::gemm(false, false, p.m, p.n, p.k, a.data(), b.data(), 0, c.mutable_data());
    best = std::max(best, 2.0 * static_cast<double>(p.m * p.n * p.k) / timer.seconds());
  }
  return best;
}

}  // namespace

std::vector<MachinePeak> measure_machine() {
  std::vector<MachinePeak> peaks = {{"f32_fma", "f32 multiply-add in registers", "GFLOP/s", kernels::f32_fma_peak() / 1e9},
                                    {"bf16_dot", "bf16 dot product (vdpbf16ps)", "GFLOP/s", kernels::bf16_dot_peak() / 1e9},
                                    {"int8_dot", "int8 dot product (vpdpbusd)", "GOP/s", kernels::int8_dot_peak() / 1e9},
                                    {"bf16_tile", "bf16 tile product (tdpbf16ps)", "GFLOP/s", kernels::bf16_tile_peak() / 1e9},
                                    {"int8_tile", "int8 tile product (tdpbssd)", "GOP/s", kernels::int8_tile_peak() / 1e9}};
  for (const Product& p : {Product{512, 512, 512}, Product{2048, 2048, 2048}, Product{1024, 3072, 768}}) {
    peaks.push_back({fmt::format("gemm_{}x{}x{}", p.m, p.n, p.k), fmt::format("f32 matrix product {} x {} x {}", p.m, p.n, p.k), "GFLOP/s", gemm_peak(p) / 1e9});
  }
  // Half of a cache leaves room for what else is in it; the third is shared by the threads.
  constexpr int64_t kMemory = int64_t{1} << 28;
  const int64_t threads = num_threads(), l1 = cache_bytes(1), l2 = cache_bytes(2), l3 = cache_bytes(3);
  const auto read = [&](const char* name, const char* what, int64_t bytes_a_thread) {
    peaks.push_back({name, fmt::format("{}, {} KiB a thread", what, bytes_a_thread >> 10), "GB/s", kernels::read_bandwidth(bytes_a_thread) / 1e9});
  };
  if (l1 > 0) read("read_l1", "reads of the first cache", l1 / 2);
  if (l2 > 0) read("read_l2", "reads of the second cache", l2 / 2);
  if (l3 / 2 / threads > l2) read("read_l3", "reads of the third cache", l3 / 2 / threads);
  read("read_memory", "reads of memory", std::max(kMemory, 4 * l3) / threads);
  std::erase_if(peaks, [](const MachinePeak& p) { return p.value == 0; });
  return peaks;
}

}  // namespace danlu::app
