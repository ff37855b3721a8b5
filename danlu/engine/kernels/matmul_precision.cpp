#include "danlu/engine/kernels/matmul_precision.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/kernels/half_gemm.h"
#include "danlu/engine/kernels/isa.h"

namespace danlu::kernels {
namespace {

thread_local MatmulPrecision active = MatmulPrecision::highest;

}  // namespace

bool medium_precision_runs() { return half_format() != HalfFormat::none; }

MatmulPrecision matmul_precision() { return active; }

WithMatmulPrecision::WithMatmulPrecision(MatmulPrecision precision) : before_(active) {
  if (precision == MatmulPrecision::medium && !medium_precision_runs()) {
    throw ConfigError("engine.kernels", fmt::format("got matmul precision medium on {}; expected AVX-512 with AVX512_BF16, AVX512-FP16 or AMX; use highest",
                                                    isa_name(active_isa())));
  }
  active = precision;
}
WithMatmulPrecision::~WithMatmulPrecision() { active = before_; }

}  // namespace danlu::kernels
