#include <algorithm>
#include <cmath>

#include "danlu/app/cli/verbs.h"
#include "danlu/app/recipe/recipe.h"
#include "danlu/base/cpu.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"
#include "danlu/base/timer.h"
#include "danlu/base/version.h"
#include "danlu/engine/kernels/gemm.h"
#include "danlu/engine/kernels/isa.h"
#include "danlu/engine/kernels/matmul_precision.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::app {
namespace {

// Measured speed of a product of two 512 x 512 matrices: the best of a few.
double gemm_gflops(kernels::MatmulPrecision of) {
  const kernels::WithMatmulPrecision precision(of);
  constexpr int64_t kSize = 512;
  constexpr int kTries = 20;
  const Tensor a = Tensor::full({kSize, kSize}, 0.5f), b = Tensor::full({kSize, kSize}, 0.25f);
  Tensor c = Tensor::empty({kSize, kSize});
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    const Timer timer;
    kernels::gemm(false, false, kSize, kSize, kSize, a.data(), b.data(), 0, c.mutable_data());
    best = std::max(best, 2.0 * kSize * kSize * kSize / timer.seconds() / 1e9);
  }
  return best;
}

std::vector<std::string> warnings() {
  std::vector<std::string> found;
  const CpuInfo& cpu = cpu_info();
  if (num_threads() > cpu.processors) {
    found.push_back(fmt::format("{} threads on {} processors wait for each other; lower --threads or OMP_NUM_THREADS",
                                num_threads(), cpu.processors));
  }
  if (kernels::active_isa() != kernels::supported_isas().back()) {
    found.push_back(fmt::format("DANLU_ISA keeps the kernels at {}; this processor can run {}",
                                kernels::isa_name(kernels::active_isa()),
                                kernels::isa_name(kernels::supported_isas().back())));
  }
  if (std::string(build_type()) == "Debug")
    found.emplace_back("this is a Debug build: many times slower than a Release build");
  const fs::path data = expand_path("${DANLU_DATA}");
  if (!fs::exists(data))
    found.push_back(fmt::format("there is no {}: tools/fetch brings the public data sets there", data.string()));
  return found;
}

class DoctorVerb : public Verb {
 public:
  DoctorVerb() : Verb("doctor", "what this machine can do, and which code paths are chosen") {}

  void declare(Arguments&) override {}

  int run(const Context& context) override {
    if (context.threads > 0) set_num_threads(context.threads);
    const CpuInfo& cpu = cpu_info();
    std::vector<std::string> isas;
    for (const kernels::Isa isa : kernels::supported_isas()) isas.emplace_back(kernels::isa_name(isa));
    const std::vector<std::string> problems = warnings();
    Json json = {{"event", "doctor"},
                 {"danlu", fmt::format("{} ({}, {})", version(), build_type(), compiler())},
                 {"processor", cpu.model},
                 {"processors", cpu.processors},
                 {"features", cpu.features},
                 {"memory_gib", std::round(static_cast<double>(cpu.memory_bytes) / 0x1p30 * 10) / 10},
                 {"threads", num_threads()},
                 {"kernels", kernels::isa_name(kernels::active_isa())},
                 {"kernels_possible", isas},
                 {"onednn", kernels::gemm_library()},
                 {"matrix_gflops", std::round(gemm_gflops(kernels::MatmulPrecision::highest))},
                 {"data", expand_path("${DANLU_DATA}")},
                 {"warnings", problems}};
    // Of train.matmul_precision: medium, where this processor has it.
    if (kernels::medium_precision_runs()) json["matrix_gflops_medium"] = std::round(gemm_gflops(kernels::MatmulPrecision::medium));
    std::string text;
    for (const auto& [key, value] : json.items()) {
      if (key == "event" || key == "warnings") continue;
      text += fmt::format("{:<18}{}\n", key,
                          value.is_array()    ? fmt::format("{}", fmt::join(value.get<std::vector<std::string>>(), " "))
                          : value.is_string() ? value.get<std::string>()
                                              : to_line(value));
    }
    context.console.result(text, json);
    if (context.console.form() == LogForm::json) return kOk;
    for (const std::string& problem : problems) context.console.warn("doctor", problem);
    return kOk;
  }
};

}  // namespace

std::unique_ptr<Verb> make_doctor_verb() { return std::make_unique<DoctorVerb>(); }

}  // namespace danlu::app
