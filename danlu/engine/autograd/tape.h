// Automatic differentiation: a linear tape of what was computed, and one reverse loop over it.
//
// Operations are executed at once and, if an input needs a gradient, leave an entry on the tape of the calling thread. Record
// order is a topological order, so backward() is a single loop from the last entry to the first:
//   - an entry whose output received no gradient is skipped: nothing is computed that does not lead to a parameter;
//   - the first contribution to a gradient moves its buffer in, later ones are added in place;
//   - what an entry saved is released as the loop passes it, so memory falls during backward.
// After backward() the tape is empty. There are no second derivatives. A forward pass outside NoGrad that is never followed by
// backward() stays on the tape until clear_tape() or the next backward().
// Threads: one tape a thread; tensors must not cross threads between forward and backward.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "danlu/engine/autograd/layer_scope.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu {

// Runs the reverse loop from `loss`, which must have one element, and adds d loss / d p to the gradient of every leaf p that
// requires one. Throws ShapeError if loss is not a scalar or was computed from nothing that requires a gradient.
void backward(const Tensor& loss);
// The same for any shape, starting from the gradient `dy` of an unnamed scalar with respect to y.
void backward(const Tensor& y, Tensor dy);

// Forgets what was recorded on this thread's tape.
void clear_tape();

// While one lives, operations on this thread record nothing.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool previous_;
};
bool grad_enabled();

// While one lives, every recorded output and every gradient on this thread is checked: NumericError names the first operation, and
// its layer, that produced a NaN or an infinity, forward or backward. Slow; the trainer repeats a failed step under it.
class CheckFinite {
 public:
  CheckFinite();
  ~CheckFinite();
  CheckFinite(const CheckFinite&) = delete;
  CheckFinite& operator=(const CheckFinite&) = delete;

 private:
  WatchLayers watch_;
  bool previous_;
};

// ---- For authors of operations -------------------------------------------------------------------------------------------

// Does the result of an operation on x need an entry?
bool needs_grad(const Tensor& x);
template <class... Tensors>
bool recording(const Tensors&... inputs) {
  return grad_enabled() && (needs_grad(inputs) || ...);
}

// A tensor kept for backward. get() throws if its elements were overwritten in between.
class Saved {
 public:
  Saved() = default;
  explicit Saved(const Tensor& tensor);
  const Tensor& get() const;

 private:
  Tensor tensor_;
  uint32_t version_ = 0;
};

// What the backward of an entry sees.
class GradContext {
 public:
  // Gradient of the loss with respect to the output; contiguous, of the output's shape.
  const Tensor& dy() const;
  bool needs(int input) const;

  // Hands over the gradient of an input. The buffer may become the gradient itself: do not write to it afterwards.
  void add(int input, Tensor gradient);

  // Where a kernel that can either overwrite or add may write the gradient of an input directly.
  struct Target {
    Tensor gradient;
    bool accumulate;  // true: add to what is there; false: overwrite, the contents are undefined
    float beta() const { return accumulate ? 1.0f : 0.0f; }
  };
  Target target(int input);

 private:
  friend class Tape;
  GradContext(class Tape& tape, size_t entry) : tape_(tape), entry_(entry) {}
  class Tape& tape_;
  size_t entry_;
};

namespace detail {

using RunBackward = void (*)(void* state, GradContext& context);
using DestroyState = void (*)(void* state) noexcept;

// Room for the state of the next entry in the tape's arena.
void* tape_allocate(size_t bytes, size_t alignment);
void tape_record(const char* op, const Tensor& output, std::span<const Tensor* const> inputs, void* state,
                 RunBackward run, DestroyState destroy);

}  // namespace detail

// Records that `output` was computed from `inputs` (in the order that GradContext numbers them) by operation `op`, a name of
// ops.def. `function` is called as function(GradContext&) during backward, at most once; what it captures is kept until then.
template <class Function>
void record(const char* op, const Tensor& output, std::span<const Tensor* const> inputs, Function&& function) {
  using State = std::decay_t<Function>;
  void* memory = detail::tape_allocate(sizeof(State), alignof(State));
  new (memory) State(std::forward<Function>(function));
  detail::tape_record(
      op, output, inputs, memory, [](void* state, GradContext& context) { (*static_cast<State*>(state))(context); },
      [](void* state) noexcept { static_cast<State*>(state)->~State(); });
}
template <class Function>
void record(const char* op, const Tensor& output, std::initializer_list<const Tensor*> inputs, Function&& function) {
  record(op, output, std::span<const Tensor* const>(inputs.begin(), inputs.size()), std::forward<Function>(function));
}

}  // namespace danlu
