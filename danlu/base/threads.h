// Parallel loops over one pool: OpenMP's, which oneDNN shares.
#pragma once

#include <cstdint>
#include <exception>
#include <mutex>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace danlu {

// Threads of a parallel loop started by the calling thread. Default: OMP_NUM_THREADS, else the processors that this
// process may use.
int num_threads();
void set_num_threads(int threads);  // threads >= 1; applies to the calling thread

// Calls body(begin, end) on disjoint ranges that cover [0, n). Below `grain` items the loop stays on the calling thread.
// Ranges are multiples of the grain (but the last), so their bounds, and with them any per-range result, depend on n and
// grain alone when the caller reduces per grain. The first exception of a body is rethrown after the join.
template <class Body>
void parallel_for(int64_t n, int64_t grain, const Body& body) {
#ifdef _OPENMP
  const int64_t chunks = grain > 0 ? (n + grain - 1) / grain : 0;
  if (chunks > 1 && num_threads() > 1 && !omp_in_parallel()) {
    std::exception_ptr failure;
    std::mutex mutex;
#pragma omp parallel
    {
      const int64_t threads = omp_get_num_threads(), rank = omp_get_thread_num();
      const int64_t begin = chunks * rank / threads * grain;
      const int64_t limit = chunks * (rank + 1) / threads * grain;
      const int64_t end = limit < n ? limit : n;
      try {
        if (begin < end) body(begin, end);
      } catch (...) {
        std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    }
    if (failure) std::rethrow_exception(failure);
    return;
  }
#endif
  static_cast<void>(grain);
  if (n > 0) body(int64_t{0}, n);
}

}  // namespace danlu
