#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "danlu/app/cli/verbs.h"
#include "danlu/base/cpu.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/base/threads.h"
#include "danlu/base/timer.h"
#include "danlu/base/version.h"
#include "danlu/engine/kernels/gemm.h"
#include "danlu/engine/kernels/isa.h"

namespace danlu::app {
namespace {

// Measured speed of a product of two 512 x 512 matrices, the best of a few.
double gemm_gflops() {
  constexpr int64_t n = 512;
  Tensor a = Tensor::full({n, n}, 0.5f), b = Tensor::full({n, n}, 0.25f), c = Tensor::empty({n, n});
  double best = 0;
  for (int i = 0; i < 20; ++i) {
    const Timer timer;
    kernels::gemm(false, false, n, n, n, a.data(), b.data(), 0, c.mutable_data());
    best = std::max(best, 2.0 * n * n * n / timer.seconds() / 1e9);
  }
  return best;
}

}  // namespace

Verb add_doctor(CLI::App& app) {
  auto common = add_common(app);
  return [=] {
    common->apply();
    Console console(common->form());
    const CpuInfo& cpu = cpu_info();
    const double gflops = gemm_gflops();
    std::vector<std::string> warnings;
    if (num_threads() > cpu.processors) warnings.push_back(fmt::format("{} threads on {} processors wait for each other; lower --threads or OMP_NUM_THREADS", num_threads(), cpu.processors));
    if (const char* policy = std::getenv("OMP_WAIT_POLICY"); policy != nullptr && (policy[0] == 'p' || policy[0] == 'P')) {
      warnings.emplace_back("OMP_WAIT_POLICY=passive costs 70 to 90 microseconds a parallel loop; unset it where danlu has the processors to itself");
    }
    if (kernels::active_isa() != kernels::supported_isas().back()) warnings.push_back(fmt::format("DANLU_ISA limits the kernels to {}", kernels::isa_name(kernels::active_isa())));
    console.event({{"event", "doctor"}, {"version", version()}, {"cpu", cpu.model}, {"processors", cpu.processors}, {"features", cpu.features}, {"memory_bytes", cpu.memory_bytes},
                   {"threads", num_threads()}, {"isa", kernels::isa_name(kernels::active_isa())}, {"onednn", kernels::gemm_library()}, {"gemm_gflops", gflops}, {"warnings", warnings}});
    if (console.form() != LogForm::text) return kOk;
    console.print(fmt::format("danlu         {} ({}, {})\nprocessor     {}, {} usable\nfeatures      {}\nmemory        {:.1f} GiB\nthreads       {}\n"
                              "own kernels   {} (of {})\noneDNN        {}\nmatrix speed  {:.0f} GFLOP/s (512 x 512, f32)\n",
                              version(), build_type(), compiler(), cpu.model, cpu.processors, fmt::join(cpu.features, " "), static_cast<double>(cpu.memory_bytes) / 0x1p30, num_threads(),
                              kernels::isa_name(kernels::active_isa()), [] {
                                std::vector<std::string> names;
                                for (const kernels::Isa isa : kernels::supported_isas()) names.emplace_back(kernels::isa_name(isa));
                                return fmt::format("{}", fmt::join(names, ", "));
                              }(),
                              kernels::gemm_library(), gflops));
    for (const std::string& warning : warnings) console.warn(warning);
    return kOk;
  };
}

}  // namespace danlu::app
