#include "danlu/learn/models/list_of_tensors.h"

#include <gtest/gtest.h>

namespace danlu::models {
namespace {

TEST(ListOfTensors, OneFewAndMany) {
  EXPECT_EQ(list_of_tensors("missing", {"a"}), "missing tensor \"a\"");
  EXPECT_EQ(list_of_tensors("missing", {"a", "b"}), "2 missing tensors: \"a\", \"b\"");
  EXPECT_EQ(list_of_tensors("unexpected", {"a", "b", "c", "d", "e", "f"}), "6 unexpected tensors: \"a\", \"b\", \"c\", \"d\", \"e\", ...");
}

}  // namespace
}  // namespace danlu::models
