#include "danlu/engine/autograd/tape.h"

#include <atomic>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/profiler.h"
#include "danlu/engine/kernels/elementwise.h"

namespace danlu {
namespace {

constexpr const char* kWhere = "engine.autograd";

// Bump allocation in blocks that are kept from step to step.
class Arena {
 public:
  void* allocate(size_t bytes, size_t alignment) {
    size_t at = (used_ + alignment - 1) / alignment * alignment;
    if (blocks_.empty() || at + bytes > kBlockBytes) {
      if (bytes > kBlockBytes) throw InternalError(kWhere, fmt::format("got {} bytes of state for one entry", bytes));
      if (!blocks_.empty()) ++block_;
      if (block_ == blocks_.size()) blocks_.push_back(std::make_unique<Block>());
      at = 0;
    }
    used_ = at + bytes;
    return blocks_[block_]->bytes + at;
  }
  void reset() { block_ = 0, used_ = 0; }

 private:
  static constexpr size_t kBlockBytes = size_t{1} << 16;
  struct Block {
    alignas(64) std::byte bytes[kBlockBytes];
  };
  std::vector<std::unique_ptr<Block>> blocks_;
  size_t block_ = 0;
  size_t used_ = 0;
};

uint64_t next_generation() {
  static std::atomic<uint64_t> counter{0};
  return ++counter;  // never 0, which is what a tensor outside every tape carries
}

void check_finite(const Tensor& tensor, const char* op, const char* layer, const char* what) {
  if (tensor.dtype() != Dtype::f32) return;
  const float* x = tensor.data();
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    if (!std::isfinite(x[i])) {
      const std::string place = *layer == '\0' ? "" : fmt::format(" in layer {}", layer);
      throw NumericError(kWhere, fmt::format("{} of {}{} is {} at element {} of shape {}", what, op, place, x[i], i, tensor.shape().str()));
    }
  }
}

// True if nobody else can see these elements, so that they may be changed in place.
bool sole_owner(const Tensor& tensor) {
  const detail::TensorImpl& impl = tensor.impl();
  return impl.references.load(std::memory_order_relaxed) == 1 && impl.storage->references.load(std::memory_order_relaxed) == 1;
}

void add_in_place(Tensor& sum, const Tensor& term) {
  kernels::add(sum.mutable_data(), sum.data(), term.data(), sum.numel());
}

}  // namespace

class Tape {
 public:
  Tape() = default;
  ~Tape() { clear(); }
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  bool enabled = true;
  bool finite_checks = false;

  bool contains(const Tensor& x) const { return x.impl().tape_generation == generation_; }

  void* allocate(size_t bytes, size_t alignment) { return arena_.allocate(bytes, alignment); }

  void record(const char* op, const Tensor& output, std::span<const Tensor* const> inputs, void* state,
              detail::RunBackward run_backward, detail::DestroyState destroy) {
    if (finite_checks) {
      try {
        check_finite(output, op, current_layer(), "the output");
      } catch (...) {
        destroy(state);
        throw;
      }
    }
    Entry entry{op, current_layer(), state, run_backward, destroy, 0, input_slots_.size(), inputs.size(), -1};
    for (const Tensor* input : inputs) input_slots_.push_back(input->defined() ? slot_of(*input) : -1);
    entry.output = new_slot(output);
    if (Profiler* profiler = Profiler::active()) entry.event = profile_forward(*profiler, entry, output, inputs);
    entries_.push_back(entry);
  }

  void run(const Tensor& y, Tensor dy) {
    if (!contains(y)) {
      throw ShapeError(kWhere, "got a tensor that was computed from nothing that requires a gradient; "
                               "call set_requires_grad() on the parameters and do not stay inside NoGrad");
    }
    if (!(y.shape() == dy.shape())) {
      throw ShapeError(kWhere, fmt::format("got a gradient of shape {}; expected {}", dy.shape().str(), y.shape().str()));
    }
    const NoGrad no_grad;
    ClearOnExit clear_on_exit{*this};
    slots_[static_cast<size_t>(y.impl().slot)].grad = std::move(dy);
    while (!entries_.empty()) {
      const Entry& entry = entries_.back();
      Slot& output = slots_[static_cast<size_t>(entry.output)];
      if (output.grad.defined()) {
        GradContext context(*this, entries_.size() - 1);
        entry.run(entry.state, context);
        if (Profiler* profiler = Profiler::active(); profiler != nullptr && entry.event >= 0) profile_backward(*profiler, entry);
        if (finite_checks) check_input_gradients(entry);
        output.grad = Tensor();
      }
      const Entry done = entry;
      entries_.pop_back();
      done.destroy(done.state);
    }
  }

  void clear() {
    while (!entries_.empty()) {
      const Entry entry = entries_.back();
      entries_.pop_back();
      entry.destroy(entry.state);
    }
    input_slots_.clear();
    slots_.clear();
    arena_.reset();
    generation_ = next_generation();
  }

  // ---- for GradContext
  const Tensor& output_gradient(size_t entry) const { return slots_[static_cast<size_t>(entries_[entry].output)].grad; }

  bool needs(size_t entry, int input) const {
    return input_slots_[entries_[entry].first_input + static_cast<size_t>(input)] >= 0;
  }

  void add(size_t entry, int input, Tensor gradient) {
    const int32_t index = input_slots_[entries_[entry].first_input + static_cast<size_t>(input)];
    if (index < 0) return;
    Slot& slot = slots_[static_cast<size_t>(index)];
    if (!slot.leaf.defined()) {
      if (!slot.grad.defined()) {
        slot.grad = std::move(gradient);
      } else {
        make_writable(slot.grad);
        add_in_place(slot.grad, gradient);
      }
      return;
    }
    detail::TensorImpl& leaf = slot.leaf.impl();
    if (!leaf.grad.defined()) {
      // The leaf keeps this buffer beyond the step, so it must not be shared with another gradient.
      leaf.grad = sole_owner(gradient) ? std::move(gradient) : gradient.clone();
    } else if (leaf.grad_stale) {
      leaf.grad.copy_from(gradient);
    } else {
      add_in_place(leaf.grad, gradient);
    }
    leaf.grad_stale = false;
  }

  GradContext::Target target(size_t entry, int input) {
    const int32_t index = input_slots_[entries_[entry].first_input + static_cast<size_t>(input)];
    if (index < 0) throw InternalError(kWhere, fmt::format("{} asked for the gradient of input {}, which needs none", entries_[entry].op, input));
    Slot& slot = slots_[static_cast<size_t>(index)];
    if (!slot.leaf.defined()) {
      if (slot.grad.defined()) {
        make_writable(slot.grad);
        return {slot.grad, true};
      }
      slot.grad = Tensor::empty(slot.shape);
      return {slot.grad, false};
    }
    detail::TensorImpl& leaf = slot.leaf.impl();
    const bool fresh = !leaf.grad.defined() || leaf.grad_stale;
    if (!leaf.grad.defined()) leaf.grad = Tensor::empty(leaf.shape);
    leaf.grad_stale = false;
    return {leaf.grad, !fresh};
  }

 private:
  struct Entry {
    const char* op;
    const char* layer;
    void* state;
    detail::RunBackward run;
    detail::DestroyState destroy;
    int32_t output;
    size_t first_input;
    size_t num_inputs;
    int64_t event;  // of the profile; -1: not in one
  };
  struct Slot {
    Tensor grad;
    Tensor leaf;  // defined if the gradient belongs to a leaf: it is kept there, not here
    Shape shape;
  };
  struct ClearOnExit {
    Tape& tape;
    ~ClearOnExit() { tape.clear(); }
  };

  int32_t new_slot(const Tensor& tensor) {
    const auto index = static_cast<int32_t>(slots_.size());
    slots_.push_back({Tensor(), Tensor(), tensor.shape()});
    tensor.impl().slot = index;
    tensor.impl().tape_generation = generation_;
    return index;
  }

  // The slot of an input, or -1 if it needs no gradient. A leaf gets its slot when it is first used.
  int32_t slot_of(const Tensor& input) {
    if (contains(input)) return input.impl().slot;
    if (!input.requires_grad()) return -1;
    const int32_t index = new_slot(input);
    slots_.back().leaf = input;
    return index;
  }

  static void make_writable(Tensor& gradient) {
    if (!sole_owner(gradient)) gradient = gradient.clone();
  }

  void check_input_gradients(const Entry& entry) const {
    for (size_t i = 0; i < entry.num_inputs; ++i) {
      const int32_t index = input_slots_[entry.first_input + i];
      if (index < 0) continue;
      const Slot& slot = slots_[static_cast<size_t>(index)];
      const Tensor& gradient = slot.leaf.defined() ? slot.leaf.impl().grad : slot.grad;
      if (gradient.defined()) check_finite(gradient, entry.op, entry.layer, "a gradient");
    }
  }

  int64_t profile_forward(Profiler& profiler, const Entry& entry, const Tensor& output, std::span<const Tensor* const> inputs) const {
    ProfileEvent event{.kind = ProfileEvent::Kind::forward, .name = entry.op, .layer = entry.layer, .output = output.shape()};
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (i < event.inputs.size() && inputs[i]->defined()) event.inputs[i] = inputs[i]->shape();
      if (input_slots_[entry.first_input + i] >= 0) ++event.gradients;
    }
    profiler.add(event);
    return static_cast<int64_t>(profiler.events().size()) - 1;
  }

  static void profile_backward(Profiler& profiler, const Entry& entry) {
    ProfileEvent event = profiler.events()[static_cast<size_t>(entry.event)];
    event.kind = ProfileEvent::Kind::backward;
    profiler.add(event);
  }

  std::vector<Entry> entries_;
  std::vector<int32_t> input_slots_;
  std::vector<Slot> slots_;
  Arena arena_;
  uint64_t generation_ = next_generation();
};

namespace {

Tape& tape() {
  static thread_local Tape instance;
  return instance;
}

}  // namespace

void backward(const Tensor& loss) {
  if (loss.numel() != 1) {
    throw ShapeError(kWhere, fmt::format("got a loss of shape {}; expected one element: reduce it with mean() or sum()", loss.shape().str()));
  }
  tape().run(loss, Tensor::full(loss.shape(), 1.0f));
}

void backward(const Tensor& y, Tensor dy) { tape().run(y, std::move(dy)); }

void clear_tape() { tape().clear(); }

NoGrad::NoGrad() : previous_(std::exchange(tape().enabled, false)) {}
NoGrad::~NoGrad() { tape().enabled = previous_; }
bool grad_enabled() { return tape().enabled; }

CheckFinite::CheckFinite() : previous_(std::exchange(tape().finite_checks, true)) {}
CheckFinite::~CheckFinite() { tape().finite_checks = previous_; }

bool needs_grad(const Tensor& x) { return x.defined() && (x.requires_grad() || tape().contains(x)); }

Saved::Saved(const Tensor& tensor) : tensor_(tensor), version_(tensor.impl().storage->version) {}

const Tensor& Saved::get() const {
  if (tensor_.impl().storage->version != version_) {
    throw Error(kWhere, fmt::format("a tensor of shape {} that backward needs was overwritten after the forward pass; "
                                    "clone() it before writing", tensor_.shape().str()));
  }
  return tensor_;
}

const Tensor& GradContext::dy() const { return tape_.output_gradient(entry_); }
bool GradContext::needs(int input) const { return tape_.needs(entry_, input); }
void GradContext::add(int input, Tensor gradient) { tape_.add(entry_, input, std::move(gradient)); }
GradContext::Target GradContext::target(int input) { return tape_.target(entry_, input); }

namespace detail {

void* tape_allocate(size_t bytes, size_t alignment) { return tape().allocate(bytes, alignment); }

void tape_record(const char* op, const Tensor& output, std::span<const Tensor* const> inputs, void* state,
                 RunBackward run, DestroyState destroy) {
  tape().record(op, output, inputs, state, run, destroy);
}

}  // namespace detail
}  // namespace danlu
