#include "danlu/data/image/grid.h"

#include <gtest/gtest.h>

#include "danlu/base/error.h"

namespace danlu::data {
namespace {

// One gray pixel each.
std::vector<Image> grays(const std::vector<uint8_t>& values) {
  std::vector<Image> images;
  for (const uint8_t value : values) images.push_back({1, 1, 1, {value}});
  return images;
}

uint8_t cell(const Image& grid, int64_t row, int64_t column) { return grid.pixels[static_cast<size_t>(row * 3 * grid.width + column * 3)]; }

TEST(ImageGrid, FillsRowsInOrder) {
  const Image grid = image_grid(grays({1, 2, 3, 4, 5}), 2);
  EXPECT_EQ(grid.height, 3 + 2 * 2);
  EXPECT_EQ(grid.width, 2 + 2);
  EXPECT_EQ(cell(grid, 0, 1), 2);
  EXPECT_EQ(cell(grid, 2, 0), 5);
  EXPECT_EQ(cell(grid, 2, 1), 255) << "nothing there";
}

TEST(ImageGrid, ARowForEachKind) {
  const Image grid = image_rows(grays({10, 20, 30, 11, 21}), 3);  // of three kinds in turn
  EXPECT_EQ(grid.height, 3 + 2 * 2);
  EXPECT_EQ(grid.width, 2 + 2);
  for (int64_t kind = 0; kind < 3; ++kind) EXPECT_EQ(cell(grid, kind, 0), 10 * (kind + 1));
  EXPECT_EQ(cell(grid, 0, 1), 11);
  EXPECT_EQ(cell(grid, 1, 1), 21);
  EXPECT_EQ(cell(grid, 2, 1), 255);
  EXPECT_EQ(image_rows(grays({1, 2}), 5).height, 2 + 2) << "no rows for kinds without an image";
}

TEST(ImageGrid, RefusesWhatIsNoGrid) {
  EXPECT_THROW(image_grid({}, 2), DataError);
  EXPECT_THROW(image_rows({}, 2), DataError);
  EXPECT_THROW(image_rows(grays({1}), 0), DataError);
  EXPECT_THROW(image_grid(std::vector<Image>{{1, 1, 1, {1}}, {1, 2, 1, {1, 1}}}, 2), DataError);
}

}  // namespace
}  // namespace danlu::data
