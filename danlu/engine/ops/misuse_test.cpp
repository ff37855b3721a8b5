// What operations say about operands that do not fit: the type of the error, and words that name the operation, what it got
// and what it expected. None of them leaves anything on the tape.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "danlu/base/error.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/attention.h"
#include "danlu/engine/ops/conv.h"
#include "danlu/engine/ops/dropout.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/embedding.h"
#include "danlu/engine/ops/linear.h"
#include "danlu/engine/ops/linear_cross_entropy.h"
#include "danlu/engine/ops/loss.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/engine/ops/norm.h"
#include "danlu/engine/ops/pool.h"
#include "danlu/engine/ops/reduce.h"
#include "danlu/engine/ops/rope.h"
#include "danlu/engine/ops/softmax.h"
#include "danlu/engine/ops/swiglu.h"

namespace danlu {
namespace {

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max() / 2;

Tensor zeros(const Shape& shape) {
  Tensor x = Tensor::zeros(shape);
  x.set_requires_grad();
  return x;
}

Tensor classes(std::vector<int64_t> values) { return Tensor::from({static_cast<int64_t>(values.size())}, std::span<const int64_t>(values)); }

struct Misuse {
  std::function<Tensor()> call;
  std::string words;
};

template <class ErrorType>
void expect_refusals(const std::vector<Misuse>& table) {
  for (const Misuse& misuse : table) {
    try {
      misuse.call();
      ADD_FAILURE() << "accepted; expected the words: " << misuse.words;
    } catch (const ErrorType& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(misuse.words));
    } catch (const std::exception& error) {
      ADD_FAILURE() << "another type of error: " << error.what() << "\nexpected the words: " << misuse.words;
    }
  }
}

TEST(Misuse, ElementwiseAndProducts) {
  expect_refusals<ShapeError>({
      {[] { return add(zeros({2, 3}), zeros({2})); }, "[engine.ops.add] operands: got (2,); expected a shape that broadcasts with (2, 3)"},
      {[] { return matmul(zeros({2, 3}), zeros({2, 3})); }, "[engine.ops.matmul] b: got (2, 3); expected"},
      {[] { return matmul(zeros({3}), zeros({3, 2})); }, "[engine.ops.matmul] a: got (3,); expected at least two axes"},
      {[] { return linear(zeros({2, 3}), zeros({4, 5})); }, "[engine.ops.linear] weight: got (4, 5); expected (out, 3) for x of shape (2, 3)"},
      {[] { return linear(zeros({2, 3}), zeros({4, 3}), zeros({3})); }, "[engine.ops.linear] bias: got (3,); expected (4,)"},
  });
  expect_refusals<DtypeError>({{[] { return relu(classes({1})); }, "[engine.ops.relu] got a tensor of i64; expected f32"}});
}

TEST(Misuse, Movement) {
  expect_refusals<ShapeError>({
      {[] { return reshape(zeros({2, 3}), {4}); }, "[engine.ops.reshape] x: got (2, 3); expected as many elements as (4) has"},
      {[] { return reshape(zeros({2, 3}), {-1, 4}); }, "as many elements as (-1, 4) has"},
      {[] { return reshape(zeros({2, 3}), {-1, -1}); }, "as many elements as (-1, -1) has"},
      {[] { return reshape(zeros({2, 3}), {-2, -3}); }, "as many elements as (-2, -3) has"},
      {[] { return reshape(zeros({2, 3}), {kHuge, kHuge, -1}); }, "[engine.ops.reshape] x: got (2, 3)"},
      {[] { return transpose(zeros({2, 3}), {0, 0}); }, "[engine.ops.transpose] x: got (2, 3); expected each axis once; got the permutation (0, 0)"},
      {[] { return transpose(zeros({2, 3}), {0}); }, "got the permutation (0)"},
      {[] { return transpose(zeros({2, 3}), {0, 2}); }, "got axis 2 of a tensor of shape (2, 3)"},
      {[] { return slice(zeros({2, 3}), 1, 1, 4); }, "[engine.ops.slice] x: got (2, 3); expected at least 4 elements along axis 1"},
      {[] { return slice(zeros({2, 3}), 1, 2, 1); }, "[engine.ops.slice] x: got (2, 3)"},
      {[] { return slice(zeros({2, 3}), 1, -4, 2); }, "[engine.ops.slice] x: got (2, 3)"},
      {[] { return slice(zeros({2, 3}), 2, 0, 1); }, "got axis 2 of a tensor of shape (2, 3)"},
      {[] { return concat({}, 0); }, "[engine.ops.concat] parts: got (); expected at least one tensor"},
      {[] { return concat({zeros({2, 3}), zeros({3, 3})}, 1); }, "[engine.ops.concat] part: got (3, 3); expected (2, 3) but for axis 1"},
      {[] { return concat({zeros({2}), classes({1, 2})}, 0); }, "[engine.ops.concat] part: got (2,)"},
  });
}

TEST(Misuse, ReductionsAndSoftmax) {
  expect_refusals<ShapeError>({
      {[] { return sum(zeros({2, 3}), 2); }, "got axis 2 of a tensor of shape (2, 3)"},
      {[] { return mean(zeros({3, 0}), 1); }, "[engine.ops.mean] x: got (3, 0); expected at least one element to reduce"},
      {[] { return argmax(zeros({3, 0}), 1); }, "[engine.ops.argmax] x: got (3, 0)"},
      {[] { return softmax(zeros({3, 0})); }, "[engine.ops.softmax] x: got (3, 0); expected (..., C) with C >= 1"},
      {[] { return log_softmax(zeros({})); }, "[engine.ops.log_softmax] x: got ()"},
  });
}

TEST(Misuse, Images) {
  const auto x = [] { return zeros({1, 4, 4, 2}); };
  expect_refusals<ShapeError>({
      {[&] { return conv2d(zeros({4, 4, 2}), zeros({3, 2, 3, 3})); }, "[engine.ops.conv2d] x: got (4, 4, 2); expected (N, H, W, C)"},
      {[&] { return conv2d(x(), zeros({3, 4, 3, 3})); }, "[engine.ops.conv2d] weight: got (3, 4, 3, 3)"},
      {[&] { return conv2d(x(), zeros({3, 2, 5, 5})); }, "at least as large as the kernel (3, 2, 5, 5)"},
      {[&] { return conv2d(x(), zeros({3, 2, 3, 3}), {}, {.stride = 0}); }, "expected stride, dilation and groups >= 1 and padding >= 0"},
      {[&] { return conv2d(x(), zeros({3, 2, 3, 3}), zeros({2})); }, "[engine.ops.conv2d] bias: got (2,); expected (3,)"},
      {[] { return max_pool2d(zeros({4, 4, 2})); }, "[engine.ops.max_pool2d] x: got (4, 4, 2); expected (N, H, W, C)"},
      {[&] { return max_pool2d(x(), {.kernel = 5}); }, "[engine.ops.max_pool2d] x: got (1, 4, 4, 2); expected an image not smaller than the window of 5 x 5"},
      {[&] { return avg_pool2d(x(), {.stride = 0}); }, "[engine.ops.avg_pool2d] x: got (1, 4, 4, 2)"},
      {[&] { return avg_pool2d(x(), {.padding = 2}); }, "padding 2 x 2, at most half of it"},
      {[&] { return avg_pool2d(x(), {.padding = -1}); }, "padding -1 x -1"},
      {[&] { return max_pool2d(x(), {.kernel = kHuge, .padding = kHuge}); }, "[engine.ops.max_pool2d] x: got (1, 4, 4, 2)"},
      {[] { return max_pool2d(zeros({1, 300, 300, 1}), {.kernel = 300}); }, "[engine.ops.max_pool2d] x: got (1, 300, 300, 1)"},
  });
}

TEST(Misuse, NormsAndDropout) {
  Tensor mean = Tensor::zeros({3}), variance = Tensor::full({3}, 1), none;
  expect_refusals<ShapeError>({
      {[&] { return batch_norm(zeros({1, 3}), {}, {}, mean, variance); }, "[engine.ops.batch_norm] x: got (1, 3); expected at least two values for each channel"},
      {[&] { return batch_norm(zeros({5, 2}), {}, {}, mean, variance); }, "[engine.ops.batch_norm] running_mean: got (3,); expected (2,)"},
      {[&] { return batch_norm(zeros({5, 3}), {}, {}, mean, variance, {}, zeros({5, 2})); }, "[engine.ops.batch_norm] residual: got (5, 2); expected (5, 3)"},
      {[&] { return batch_norm(zeros({5, 3}), {}, {}, none, none); }, "got an undefined tensor"},
      {[] { return layer_norm(zeros({5, 2}), zeros({3})); }, "[engine.ops.layer_norm] weight: got (3,); expected (2,)"},
      {[] { return layer_norm(zeros({5, 2}), {}, zeros({1})); }, "[engine.ops.layer_norm] bias: got (1,); expected (2,)"},
      {[] { return rms_norm(zeros({5, 0})); }, "[engine.ops.rms_norm] x: got (5, 0); expected (..., C) with C >= 1"},
      {[] { return group_norm(zeros({5, 4}), 3); }, "[engine.ops.group_norm] x: got (5, 4); expected (N, ..., C) with C a multiple of 3 groups"},
      {[] { return group_norm(zeros({5, 4}), 0); }, "a multiple of 0 groups"},
  });
  EXPECT_EQ(mean.to_vector(), std::vector<float>(3, 0)) << "a refused step leaves the statistics alone";
  expect_refusals<ConfigError>({
      {[] { return dropout(zeros({3}), 1); }, "[engine.ops.dropout] got p = 1; expected a number in [0, 1)"},
      {[] { return dropout(zeros({3}), -0.5f); }, "got p = -0.5"},
      {[] { return dropout(zeros({3}), std::numeric_limits<float>::quiet_NaN()); }, "got p = nan"},
  });
}

TEST(Misuse, Losses) {
  expect_refusals<ShapeError>({
      {[] { return cross_entropy(zeros({2, 3}), classes({0})); }, "[engine.ops.cross_entropy] target: got (1,); expected (2,)"},
      {[] { return cross_entropy(zeros({2, 3}), zeros({2, 2})); }, "[engine.ops.cross_entropy_soft] target: got (2, 2); expected (2, 3)"},
      {[] { return squared_hinge_loss(zeros({2, 1}), zeros({2})); }, "[engine.ops.squared_hinge_loss] target: got (2,); expected (2, 1)"},
      {[] { return mse_loss(zeros({2, 3}), zeros({3})); }, "[engine.ops.mse_loss] target: got (3,); expected (2, 3)"},
      {[] { return bce_with_logits(zeros({2}), zeros({2}), {.mask = zeros({3})}); }, "[engine.ops.bce_with_logits] mask: got (3,); expected (2,)"},
  });
  expect_refusals<DataError>({
      {[] { return cross_entropy(zeros({2, 3}), classes({0, 3})); }, "[engine.ops.cross_entropy] got class index 3 at row 1; expected one in [0, 3)"},
      {[] { return cross_entropy(zeros({2, 3}), classes({-1, 0})); }, "got class index -1 at row 0"},
  });
  expect_refusals<ConfigError>({
      {[] { return cross_entropy(zeros({2, 3}), classes({0, 1}), {.label_smoothing = 1}); }, "got label_smoothing 1; expected a number in [0, 1)"},
      {[] { return huber_loss(zeros({2}), zeros({2}), 0); }, "[engine.ops.huber_loss] got delta 0; expected a number > 0"},
  });
}

TEST(Misuse, LanguageModels) {
  const auto table = [] { return zeros({5, 3}); };
  const auto bags = [] { return reshape(classes({0, 4}), {1, 2}); };
  expect_refusals<DataError>({
      {[&] { return embedding(classes({0, 5}), table()); }, "[engine.ops.embedding] got id 5 at position 1; expected one in [0, 5)"},
      {[&] { return embedding(classes({-1}), table()); }, "got id -1 at position 0"},
      {[&] { return embedding_bag(reshape(classes({0, 5}), {1, 2}), zeros({1, 2}), table()); }, "[engine.ops.embedding_bag] got id 5 at position 1; expected one in [0, 5)"},
      {[&] { return linear_cross_entropy(zeros({2, 3}), table(), classes({0, 5})); },
       "[engine.ops.linear_cross_entropy] got class index 5 at row 1; expected one in [0, 5)"},
      {[&] { return linear_cross_entropy(zeros({1, 3}), table(), classes({-1}), {.ignore = -100}); }, "got class index -1 at row 0"},
      {[] { return attention(zeros({1, 2, 3}), {}, reshape(classes({0, 2}), {1, 2})); },
       "[engine.ops.attention] got first[0, 1] = 2; expected a position in [0, 1]"},
      {[] { return attention(zeros({1, 2, 3}), {}, reshape(classes({-1, 0}), {1, 2})); }, "got first[0, 0] = -1"},
  });
  expect_refusals<ShapeError>({
      {[] { return embedding(classes({0}), zeros({5})); }, "[engine.ops.embedding] weight: got (5,); expected (V, C)"},
      {[&] { return embedding_bag(bags(), zeros({1, 2}), zeros({5})); }, "[engine.ops.embedding_bag] weight: got (5,); expected (V, C)"},
      {[&] { return embedding_bag(classes({0, 4}), zeros({2}), table()); }, "[engine.ops.embedding_bag] ids: got (2,); expected (N, K)"},
      {[&] { return embedding_bag(bags(), zeros({2, 1}), table()); }, "[engine.ops.embedding_bag] scales: got (2, 1); expected (1, 2)"},
      {[] { return rope(zeros({2, 12}), 2, 3, zeros({3})); }, "[engine.ops.rope] x: got (2, 12); expected (..., T, 2 heads * 6), 3 of them rotated"},
      {[] { return rope(zeros({2, 11}), 2, 2, zeros({3})); }, "[engine.ops.rope] x: got (2, 11)"},
      {[] { return rope(zeros({12}), 2, 2, zeros({3})); }, "[engine.ops.rope] x: got (12,)"},
      {[] { return rope(zeros({2, 12}), kHuge, 1, zeros({3})); }, "[engine.ops.rope] x: got"},
      {[] { return rope(zeros({2, 12}), 2, 2, zeros({3}), classes({0})); }, "[engine.ops.rope] positions: got (1,); expected (2,)"},
      {[] { return attention(zeros({2, 3}), {}); }, "[engine.ops.attention] qkv: got (2, 3); expected (N, T, (heads + 2 kv_heads) D)"},
      {[] { return attention(zeros({1, 2, 7}), {.heads = 2, .kv_heads = 1}); }, "[engine.ops.attention] qkv: got (1, 2, 7)"},
      {[] { return attention(zeros({1, 2, 9}), {.heads = 3, .kv_heads = 2}); }, "3 heads, a multiple of 2 kv_heads"},
      {[] { return attention(zeros({1, 2, 9}), {.heads = 0, .kv_heads = 0}); }, "[engine.ops.attention] qkv: got (1, 2, 9)"},
      {[] { return attention(zeros({1, 2, 9}), {.heads = kHuge, .kv_heads = kHuge}); }, "[engine.ops.attention] qkv: got (1, 2, 9)"},
      {[] { return attention(zeros({1, 2, 3}), {}, classes({0, 0})); }, "[engine.ops.attention] first: got (2,); expected (1, 2)"},
      {[] { return swiglu(zeros({2, 3})); }, "[engine.ops.swiglu] x: got (2, 3); expected (..., 2 F)"},
      {[&] { return linear_cross_entropy(zeros({2, 4}), table(), classes({0, 1})); },
       "[engine.ops.linear_cross_entropy] weight: got (5, 3); expected (V, 4) for x of shape (2, 4)"},
      {[&] { return linear_cross_entropy(zeros({2, 3}), table(), classes({0})); }, "[engine.ops.linear_cross_entropy] target: got (1,); expected (2,)"},
      {[] { return add_layer_norm(zeros({2, 3}), zeros({3})).first; }, "[engine.ops.add_layer_norm] residual: got (3,); expected (2, 3)"},
      {[] { return add_rms_norm(zeros({2, 3}), zeros({2, 3}), zeros({2})).first; }, "[engine.ops.add_rms_norm] weight: got (2,); expected (3,)"},
  });
  expect_refusals<DtypeError>({
      {[&] { return embedding(zeros({2}), table()); }, "got a tensor of f32"},
      {[&] { return embedding_bag(zeros({1, 2}), zeros({1, 2}), table()); }, "got a tensor of f32"},
      {[&] { return embedding_bag(bags(), bags(), table()); }, "[engine.ops.embedding_bag] got a tensor of i64; expected f32"},
      {[] { return rope(zeros({2, 12}), 2, 2, zeros({3}), zeros({2})); }, "got a tensor of f32"},
      {[] { return swiglu(classes({1, 2})); }, "[engine.ops.swiglu] got a tensor of i64; expected f32"},
  });
  expect_refusals<ConfigError>({
      {[] { return attention(zeros({1, 2, 3}), {.scale = std::numeric_limits<float>::infinity()}); }, "[engine.ops.attention] got a scale of inf"},
  });
}

TEST(Misuse, LeavesNothingOnTheTape) {
  const Tensor x = zeros({2, 3}), y = affine(x, 2, 0);
  EXPECT_THROW(add(y, zeros({2})), ShapeError);
  EXPECT_THROW(max_pool2d(y), ShapeError);
  backward(sum(y));
  EXPECT_THAT(x.grad().to_vector(), testing::Each(2));
}

}  // namespace
}  // namespace danlu
