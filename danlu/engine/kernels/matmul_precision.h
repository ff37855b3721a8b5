// How exact the products and convolutions of the calling thread are.
//
//   const WithMatmulPrecision scope(MatmulPrecision::medium);
//
// highest: f32 throughout. medium: gemm(), linear_forward(), conv2d_*(), recurrent*() and attention*() may round their operands to 16 bits, in the format that this
// processor multiplies fastest (half_gemm.h): bf16 (the 8 leading bits, to nearest even), with sums in f32, or f16 (11 bits, scaled), with sums of up to 64
// products in f16 and of those in f32. What comes in and goes out is f32 all the same. That is what PyTorch calls by these names. Which sizes are
// rounded depends on the sizes alone, and the bits are the same for any number of threads.
//
// medium needs AMX (Sapphire Rapids and later; four times the rate of f32 and more), AVX512-FP16 (the same processors where they keep AMX from their guests;
// twice the rate) or AVX512_BF16 (Zen 4 and 5; twice the rate).
#pragma once

namespace danlu::kernels {

enum class MatmulPrecision { highest, medium };

bool medium_precision_runs();  // on this processor, with the instruction set in use

MatmulPrecision matmul_precision();  // of this thread: highest, unless a WithMatmulPrecision lives on it

class WithMatmulPrecision {
 public:
  explicit WithMatmulPrecision(MatmulPrecision precision);  // ConfigError for medium where it does not run
  ~WithMatmulPrecision();
  WithMatmulPrecision(const WithMatmulPrecision&) = delete;
  WithMatmulPrecision& operator=(const WithMatmulPrecision&) = delete;

 private:
  MatmulPrecision before_;
};

}  // namespace danlu::kernels
