#include "danlu/engine/tensor/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "danlu/base/error.h"
#include "danlu/engine/tensor/allocator.h"

namespace danlu {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Tensor, IsMadeFromValues) {
  const Tensor x = Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(x.shape(), (Shape{2, 3}));
  EXPECT_EQ(x.size(-1), 3);
  EXPECT_EQ(x.numel(), 6);
  EXPECT_EQ(x.bytes(), 24u);
  EXPECT_THAT(x.to_vector(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(Tensor::zeros({5}).to_vector(), Each(0));
  EXPECT_THAT(Tensor::full({5}, 2.5f).to_vector(), Each(2.5f));
  EXPECT_EQ(Tensor::scalar(7).item(), 7);
  EXPECT_EQ(Tensor::scalar(7).rank(), 0);
}

TEST(Tensor, WrongCountsAndTypesAreNamed) {
  EXPECT_THAT(message_of([] { Tensor::from({2, 2}, {1, 2, 3}); }), HasSubstr("got 3 values; expected 4 for shape (2, 2)"));
  EXPECT_THAT(message_of([] { Tensor::zeros({2}).item(); }), HasSubstr("got shape (2,); expected one element"));
  EXPECT_THAT(message_of([] { Tensor::zeros({2}, Dtype::i64).data(); }), HasSubstr("got a tensor of i64; expected f32"));
  EXPECT_THROW(Tensor::zeros({2}).mutable_data<uint8_t>(), DtypeError);
  EXPECT_THAT(message_of([] { Tensor().shape(); }), HasSubstr("got an undefined tensor"));
  EXPECT_THROW(Tensor::empty({int64_t{1} << 62}), ShapeError) << "too large in bytes";
  EXPECT_THROW(Tensor::empty({int64_t{1} << 60}), std::bad_alloc);
  EXPECT_THROW(Tensor::zeros({2}, Dtype::i64).set_requires_grad(), DtypeError);
}

TEST(Tensor, CopiesOfTheHandleSeeTheSameElements) {
  Tensor x = Tensor::zeros({3});
  const Tensor handle = x, copy = x.clone(), detached = x.detach();
  x.mutable_data()[1] = 5;
  EXPECT_THAT(handle.to_vector(), ElementsAre(0, 5, 0));
  EXPECT_THAT(detached.to_vector(), ElementsAre(0, 5, 0));
  EXPECT_THAT(copy.to_vector(), ElementsAre(0, 0, 0));
  EXPECT_TRUE(handle.same(x));
  EXPECT_FALSE(detached.same(x));
}

TEST(Tensor, ViewsShareElementsAndOutliveTheirTensor) {
  Tensor view, rows;
  {
    Tensor x = Tensor::from({3, 2}, {1, 2, 3, 4, 5, 6});
    view = x.view({2, 3});
    rows = x.rows(1, 3);
    x.mutable_data()[5] = 60;
  }
  EXPECT_THAT(view.to_vector(), ElementsAre(1, 2, 3, 4, 5, 60));
  EXPECT_EQ(rows.shape(), (Shape{2, 2}));
  EXPECT_THAT(rows.to_vector(), ElementsAre(3, 4, 5, 60));
  EXPECT_EQ(view.rows(1, 1).numel(), 0);
  EXPECT_THAT(message_of([&] { view.view({4}); }), HasSubstr("got shape (4,) for a tensor of shape (2, 3); expected 6 elements"));
  EXPECT_THAT(message_of([&] { view.rows(1, 3); }), HasSubstr("got rows [1, 3) of a tensor of shape (2, 3)"));
  EXPECT_THROW(view.rows(-1, 1), ShapeError);
  EXPECT_THROW(Tensor::scalar(1).rows(0, 1), ShapeError);
}

TEST(Tensor, CopyFromWantsTheSameShapeAndType) {
  Tensor x = Tensor::zeros({2});
  x.copy_from(Tensor::from({2}, {3, 4}));
  EXPECT_THAT(x.to_vector(), ElementsAre(3, 4));
  EXPECT_THROW(x.copy_from(Tensor::zeros({3})), ShapeError);
  EXPECT_THROW(x.copy_from(Tensor::zeros({2}, Dtype::i32)), ShapeError);
  Tensor empty = Tensor::zeros({0, 2});
  empty.copy_from(Tensor::zeros({0, 2}));
}

TEST(Tensor, RebaseMovesEveryHandle) {
  Tensor parameter = Tensor::from({2}, {1, 2});
  const Tensor handle = parameter;
  Tensor flat = Tensor::from({4}, {10, 20, 30, 40});
  parameter.rebase(flat.rows(2, 4));
  flat.mutable_data()[3] = 41;
  EXPECT_THAT(handle.to_vector(), ElementsAre(30, 41));
  EXPECT_THROW(parameter.rebase(flat), ShapeError);
}

TEST(Tensor, WritesAreCounted) {
  Tensor x = Tensor::zeros({2});
  const Tensor view = x.view({1, 2});
  const auto version = [&] { return view.impl().storage->version; };
  const uint32_t before = version();
  x.data();
  x.span();
  EXPECT_EQ(version(), before) << "reading is none";
  x.mutable_data();
  EXPECT_GT(version(), before) << "a view knows of writes through its tensor";
}

TEST(Tensor, AStaleGradientReadsAsZero) {
  Tensor x = Tensor::zeros({2});
  x.set_requires_grad();
  EXPECT_FALSE(x.grad().defined());
  x.set_grad(Tensor::from({2}, {3, 4}));
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(3, 4));
  x.zero_grad();
  EXPECT_THAT(x.grad().to_vector(), ElementsAre(0, 0));
  EXPECT_THROW(x.set_grad(Tensor::zeros({3})), ShapeError);
}

TEST(Tensor, EveryTypeHoldsItsValues) {
  const std::vector<int64_t> large = {int64_t{1} << 40, -1};
  EXPECT_THAT((Tensor::from({2}, std::span<const int64_t>(large)).span<int64_t>()), ElementsAre(large[0], large[1]));
  const std::vector<uint8_t> bytes = {0, 255, 7};
  const Tensor pixels = Tensor::from({3}, std::span<const uint8_t>(bytes));
  EXPECT_EQ(pixels.bytes(), 3u);
  EXPECT_THAT(pixels.span<uint8_t>(), ElementsAre(0, 255, 7));
}

TEST(Tensor, AMoveLeavesNothingAndFreesOnce) {
  const int64_t before = allocator_stats().active_bytes;
  {
    Tensor x = Tensor::zeros({100});
    Tensor y = std::move(x);
    EXPECT_FALSE(x.defined());  // NOLINT(bugprone-use-after-move): that is the question
    Tensor& alias = y;
    y = alias;
    EXPECT_TRUE(y.defined());
    EXPECT_THAT(y.to_vector(), Each(0));
  }
  EXPECT_EQ(allocator_stats().active_bytes, before);
}

}  // namespace
}  // namespace danlu
