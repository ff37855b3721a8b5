#include "danlu/engine/tensor/shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "danlu/base/error.h"

namespace danlu {
namespace {

using testing::HasSubstr;

std::string message_of(const std::vector<int64_t>& sizes) {
  try {
    const Shape shape(sizes);
  } catch (const ShapeError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Shape, CountsElements) {
  EXPECT_EQ(Shape{}.numel(), 1) << "a scalar";
  EXPECT_EQ((Shape{3, 4, 5}.numel()), 60);
  EXPECT_EQ((Shape{3, 0, 5}.numel()), 0);
  EXPECT_EQ((Shape{1, 1, 1, 1, 1, 2}.rank()), 6);
}

TEST(Shape, AxesCountFromBothEnds) {
  const Shape shape{3, 4, 5};
  EXPECT_EQ(shape[0], 3);
  EXPECT_EQ(shape[-1], 5);
  EXPECT_EQ(shape.normalize_axis(-3), 0);
  EXPECT_EQ(shape.outer(1), 3);
  EXPECT_EQ(shape.inner(1), 5);
  EXPECT_EQ(shape.outer(0), 1);
  EXPECT_EQ(shape.inner(-1), 1);
}

TEST(Shape, AnAxisThatDoesNotExistIsNamed) {
  const Shape shape{3, 4};
  for (const int axis : {2, -3}) {
    try {
      static_cast<void>(shape[axis]);
      ADD_FAILURE() << axis;
    } catch (const ShapeError& error) {
      EXPECT_THAT(error.what(), HasSubstr("got axis " + std::to_string(axis) + " of a tensor of shape (3, 4); expected one in [-2, 2)"));
    }
  }
  EXPECT_THROW(static_cast<void>(Shape{}[0]), ShapeError);
}

TEST(Shape, EditedCopies) {
  const Shape shape{3, 4, 5};
  EXPECT_EQ(shape.with(-1, 7), (Shape{3, 4, 7}));
  EXPECT_EQ(shape.without(1), (Shape{3, 5}));
  EXPECT_EQ(shape.insert(0, 2), (Shape{2, 3, 4, 5}));
  EXPECT_EQ(shape, (Shape{3, 4, 5})) << "the original is as before";
  EXPECT_THROW(shape.with(3, 1), ShapeError);
  EXPECT_THROW(shape.with(0, -1), ShapeError);
  EXPECT_THROW((Shape{1, 1, 1, 1, 1, 1}.insert(0, 1)), ShapeError);
}

TEST(Shape, EqualMeansRankAndSizes) {
  EXPECT_EQ((Shape{3, 4}), (Shape{3, 4}));
  EXPECT_FALSE((Shape{3, 4} == Shape{4, 3}));
  EXPECT_FALSE((Shape{3} == Shape{3, 1}));
  EXPECT_FALSE((Shape{} == Shape{1}));
}

TEST(Shape, RefusesWhatCannotBe) {
  EXPECT_THAT(message_of({1, 2, 3, 4, 5, 6, 7}), HasSubstr("got 7 axes; expected at most 6"));
  EXPECT_THAT(message_of({3, -1}), HasSubstr("got size -1 at axis 1; expected >= 0"));
  EXPECT_THAT(message_of({int64_t{1} << 32, int64_t{1} << 32}), HasSubstr("the number of elements overflows 64 bits"));
  // The product of a part may be asked for too, so a zero does not excuse the others.
  EXPECT_THAT(message_of({int64_t{1} << 32, int64_t{1} << 32, 0}), HasSubstr("overflows"));
}

TEST(Shape, PrintsAsPythonDoes) {
  EXPECT_EQ(Shape{}.str(), "()");
  EXPECT_EQ(Shape{3}.str(), "(3,)");
  EXPECT_EQ((Shape{64, 784}.str()), "(64, 784)");
}

}  // namespace
}  // namespace danlu
