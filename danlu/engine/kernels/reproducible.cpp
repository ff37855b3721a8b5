#include "danlu/engine/kernels/reproducible.h"

namespace danlu::kernels {
namespace {

thread_local bool is_reproducible = true;

}  // namespace

bool reproducible() { return is_reproducible; }

AnyDivision::AnyDivision() : before_(is_reproducible) { is_reproducible = false; }
AnyDivision::~AnyDivision() { is_reproducible = before_; }

}  // namespace danlu::kernels
