#include "danlu/engine/kernels/workspace.h"

#include <hwy/aligned_allocator.h>
#include <array>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::kernels {
namespace {

constexpr int64_t kKept = int64_t{1} << 22;  // floats; larger blocks are not worth keeping

struct Block {
  hwy::AlignedFreeUniquePtr<float[]> memory;
  int64_t floats = 0;
};

thread_local std::array<Block, 2> blocks;
thread_local size_t in_use = 0;

}  // namespace

Workspace::Workspace(int64_t floats) {
  floats = rounded(floats);
  if (in_use == blocks.size()) throw InternalError("engine.kernels", "a third workspace on one thread");
  Block& block = blocks[in_use];
  const bool too_large = block.floats > kKept && floats <= kKept;
  if (floats > block.floats || too_large) {
    block = {};
    block.memory = hwy::AllocateAligned<float>(static_cast<size_t>(floats));
    if (!block.memory) throw Error("engine.kernels", fmt::format("got no memory for {} floats", floats));
    block.floats = floats;
  }
  next_ = block.memory.get();
  end_ = next_ + block.floats;
  ++in_use;
}

Workspace::~Workspace() { --in_use; }

float* Workspace::take(int64_t floats) {
  float* const part = next_;
  next_ += rounded(floats);
  if (next_ > end_) throw InternalError("engine.kernels", "a kernel took more memory than it had asked for");
  return part;
}

}  // namespace danlu::kernels
