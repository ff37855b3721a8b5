#include "danlu/serve/http/multipart.h"

#include <gtest/gtest.h>

namespace danlu::serve {
namespace {

constexpr const char* kType = "multipart/form-data; boundary=XX";

TEST(Multipart, ReadsFieldsAndFiles) {
  const std::string body =
      "--XX\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nshoes\r\n"
      "--XX\r\ncontent-disposition: form-data; name=\"image\"; filename=\"a \\\"b\\\".png\"\r\n"
      "Content-Type: image/png\r\n\r\n\x89PNG\r\n--X\r\n\r\n--XX--\r\n";
  const auto parts = parse_multipart(kType, body);
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ((*parts)[0].name, "model");
  EXPECT_EQ((*parts)[0].filename, "");
  EXPECT_EQ((*parts)[0].content, "shoes");
  EXPECT_EQ((*parts)[1].name, "image");
  EXPECT_EQ((*parts)[1].filename, "a \"b\".png");
  EXPECT_EQ((*parts)[1].content, "\x89PNG\r\n--X\r\n");
}

TEST(Multipart, ReadsQuotedBoundaryPreambleEmptyPartAndFilenameBeforeName) {
  const std::string body =
      "preamble\r\n--a b\r\nContent-Disposition: form-data; filename=x.png; name=file\r\n\r\n\r\n--a b\r\n\r\n1\r\n--a "
      "b--";
  const auto parts = parse_multipart("multipart/form-data; boundary=\"a b\"", body);
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ((*parts)[0].name, "file");
  EXPECT_EQ((*parts)[0].filename, "x.png");
  EXPECT_EQ((*parts)[0].content, "");
  EXPECT_EQ((*parts)[1].name, "");
  EXPECT_EQ((*parts)[1].content, "1");
}

TEST(Multipart, RefusesEveryTruncation) {
  const std::string whole = "--XX\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\n\r\nvalue\r\n--XX--";
  ASSERT_TRUE(parse_multipart(kType, whole));
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_multipart(kType, whole.substr(0, size))) << size;
  }
}

TEST(Multipart, RefusesMissingBoundary) {
  EXPECT_FALSE(parse_multipart("multipart/form-data", "--XX--"));
  EXPECT_FALSE(parse_multipart("multipart/form-data; boundary=", "--XX--"));
  EXPECT_FALSE(parse_multipart("multipart/form-data; boundary=" + std::string(71, 'x'), "--XX--"));
}

TEST(Multipart, BoundsTheNumberOfParts) {
  std::string body;
  for (int i = 0; i < 2000; ++i) body += "--XX\r\n\r\n\r\n";
  EXPECT_FALSE(parse_multipart(kType, body + "--XX--"));
}

}  // namespace
}  // namespace danlu::serve
