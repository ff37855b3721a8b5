#include "danlu/base/base64.h"

#include <gtest/gtest.h>

namespace danlu {
namespace {

TEST(Base64, VectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(base64_encode(plain), encoded);
    EXPECT_EQ(base64_decode(encoded), plain);
  }
}

TEST(Base64, EveryByteRoundTrips) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  for (size_t size = 0; size <= bytes.size(); ++size) {
    EXPECT_EQ(base64_decode(base64_encode(bytes.substr(0, size))), bytes.substr(0, size));
  }
}

TEST(Base64, SpacesAreSkippedAndPaddingMayBeMissing) {
  EXPECT_EQ(base64_decode("Zm9v\r\nYg = ="), "foob");
  EXPECT_EQ(base64_decode("Zm9vYg"), "foob");
}

TEST(Base64, OtherTextIsRefused) {
  for (const char* text :
       {"Zg=a", "Z", "Zm9vY", "Zm9-", "Zm9_", "\xFF\xFF\xFF\xFF", "=", "====", "Zg=", "Zg===", "Zm9v="}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace danlu
