// For inference: what comes out for a row does not depend, in a single bit, on how many other rows there are. So an answer is the same
// alone and beside others.
//
//   const BatchInvariant guard(BatchInvariant::Rows::few);
//   y = linear(x, weight);
//
// While one lives, linear_forward() on this thread sums every element in one order: that of linear_rows() for few rows, where reading
// the weights is all the work, and that of small_gemm() for many. The two orders differ in rounding.
#pragma once

#include <optional>

namespace danlu::kernels {

class BatchInvariant {
 public:
  enum class Rows { few, many };
  explicit BatchInvariant(Rows rows);
  ~BatchInvariant();
  BatchInvariant(const BatchInvariant&) = delete;
  BatchInvariant& operator=(const BatchInvariant&) = delete;

  static std::optional<Rows> active();  // of this thread

 private:
  std::optional<Rows> before_;
};

}  // namespace danlu::kernels
