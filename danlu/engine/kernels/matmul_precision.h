// How exact the products and convolutions of the calling thread are.
//
//   const WithMatmulPrecision scope(MatmulPrecision::medium);
//
// highest: f32 throughout. medium: gemm(), linear_forward(), conv2d_*() and recurrent*() may round their operands to bf16 (the 8 leading bits, to
// nearest even) and sum the products in f32; what comes in and goes out is f32 all the same. That is what PyTorch calls by these
// names. Which sizes are rounded depends on the sizes alone, and the bits are the same for any number of threads.
//
// medium needs AVX512_BF16, whose products run at twice the rate of f32 on Zen 4 and 5; on Sapphire Rapids at half of it, as they are
// meant for AMX there.
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
