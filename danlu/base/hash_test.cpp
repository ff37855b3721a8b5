#include "danlu/base/hash.h"

#include <gtest/gtest.h>

namespace danlu {

TEST(Hash, IsXxh3) {
  // XXH3_128bits of no bytes, as published: files that name it stay readable.
  EXPECT_EQ(hash_text("").hex(), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(hash_text("a").hex().size(), 32u);
}

TEST(Hash, OneByteMatters) {
  EXPECT_EQ(hash_text("row 1"), hash_text("row 1"));
  EXPECT_NE(hash_text("row 1"), hash_text("row 2"));
  EXPECT_NE(hash_text("row"), hash_text(std::string_view("row\0", 4)));
}

}  // namespace danlu
