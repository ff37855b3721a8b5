// Matrix products of row-major f32 matrices: our own loops for what lies in cache (small_gemm.h), oneDNN for the rest.
//
// Threads: parallel inside, with the same bits for any number of threads. May be called from any thread (each keeps its own
// prepared primitives of oneDNN).
// Errors: a failure of the library is an InternalError that names the sizes.
#pragma once

#include <cstdint>
#include <string>

namespace danlu::kernels {

// Functions whose derivative can be had from their value, so that they may be fused into the product before them.
enum class Activation { none, relu, leaky_relu, sigmoid, tanh };

// Of leaky_relu, x where x > 0 and this times x elsewhere. Source: Radford, Metz, Chintala 2016, arXiv:1511.06434.
constexpr float kLeakySlope = 0.2f;

// C (m, n) = A' B' + beta C, where A' (m, k) is A or its transpose, B' (k, n) is B or its transpose. beta is 0 or 1; with 0
// the old contents of C are not read.
void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float* a, const float* b, float beta,
          float* c);

// y (m, n) = activation(x (m, k) w^T + bias), w (n, k) as PyTorch keeps it, bias (n) or null.
void linear_forward(const float* x, const float* w, const float* bias, float* y, int64_t m, int64_t n, int64_t k,
                    Activation activation);

// Version of oneDNN and the instruction set that it runs on: "2.6.3, AVX-512 with VNNI and bf16". For danlu doctor.
std::string gemm_library();

}  // namespace danlu::kernels
