#include "danlu/engine/kernels/batch_invariant.h"

namespace danlu::kernels {
namespace {

thread_local std::optional<BatchInvariant::Rows> active_rows;

}  // namespace

BatchInvariant::BatchInvariant(Rows rows) : before_(active_rows) { active_rows = rows; }
BatchInvariant::~BatchInvariant() { active_rows = before_; }
std::optional<BatchInvariant::Rows> BatchInvariant::active() { return active_rows; }

}  // namespace danlu::kernels
