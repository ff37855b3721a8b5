#include "danlu/base/threads.h"

namespace danlu {

#ifdef _OPENMP
int num_threads() { return omp_get_max_threads(); }
void set_num_threads(int threads) { omp_set_num_threads(threads < 1 ? 1 : threads); }
#else
int num_threads() { return 1; }
void set_num_threads(int) {}
#endif

}  // namespace danlu
