#include "danlu/engine/autograd/profiler.h"

#include <gtest/gtest.h>

#include <cstring>

#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/cost.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/linear.h"
#include "danlu/engine/ops/reduce.h"

namespace danlu {
namespace {

TEST(Profiler, SeesEveryOperationWithItsLayerBothWays) {
  Tensor w = Tensor::full({3, 4}, 0.5f);
  w.set_requires_grad();
  const Tensor x = Tensor::full({2, 4}, 1.0f);
  Profiler profiler;
  const Tensor y = [&] {
    const LayerScope outer("blocks.1");
    const LayerScope inner("up");
    return relu(linear(x, w));
  }();
  backward(sum(y));
  Profiler::mark("optimizer");

  const auto& events = profiler.events();
  ASSERT_EQ(events.size(), 7u);
  using Kind = ProfileEvent::Kind;
  const char* names[] = {"linear", "relu", "sum", "sum", "relu", "linear", "optimizer"};
  const char* layers[] = {"blocks.1.up", "blocks.1.up", "", "", "blocks.1.up", "blocks.1.up", ""};
  double last = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_STREQ(events[i].name, names[i]);
    EXPECT_STREQ(events[i].layer, layers[i]);
    EXPECT_EQ(events[i].kind, i < 3 ? Kind::forward : i < 6 ? Kind::backward : Kind::other);
    EXPECT_EQ(events[i].begin_s, last) << "no time is lost";
    EXPECT_GE(events[i].end_s, events[i].begin_s);
    last = events[i].end_s;
  }
  EXPECT_EQ(events[0].gradients, 1) << "of the weight alone";
  EXPECT_EQ(cost_of(events[0]).flops, 2 * 2 * 3 * 4);
  EXPECT_EQ(cost_of(events[5]).flops, 2 * 2 * 3 * 4);
  EXPECT_EQ(cost_of(events[0]).bytes, 4 * (8 + 12 + 6));
  EXPECT_EQ(cost_of(events[6]).flops, 0);
}

TEST(Profiler, ScopesAreInertWhileNobodyWatches) {
  const LayerScope scope("layer");
  EXPECT_STREQ(current_layer(), "");
  Profiler::mark("nothing");
}

}  // namespace
}  // namespace danlu
