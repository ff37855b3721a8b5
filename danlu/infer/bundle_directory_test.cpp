#include "danlu/infer/bundle_directory.h"

#include <gmock/gmock.h>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"

namespace danlu::infer {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr BundleFormat kKettle = {"danlu-kettle", 2, "a kettle"};

TEST(BundleDirectory, IsThatOfARunWhereItHasOne) {
  const TemporaryDirectory run;
  EXPECT_EQ(bundle_directory(run.path()), run.path());
  EXPECT_FALSE(has_format(run.path(), kKettle));
  write_json(run / "config.json", {{"format", "danlu-teapot"}});
  EXPECT_FALSE(has_format(run.path(), kKettle));
  make_directories(run / "bundle");
  write_json(run / "bundle" / "config.json", format_fields(kKettle));
  EXPECT_EQ(bundle_directory(run.path()), run / "bundle");
  EXPECT_TRUE(has_format(run.path(), kKettle));
  EXPECT_TRUE(has_format(run / "bundle", kKettle));
  write_json(run / "bundle" / "config.json", Json::array({1}));
  EXPECT_FALSE(has_format(run.path(), kKettle));
}

TEST(BundleFormat, OtherKindsAndNewerVersionsAreRefused) {
  const auto check = [](const Json& config) { check_format(config, kKettle, "k.json", "infer.kettle"); };
  EXPECT_NO_THROW(check(format_fields(kKettle)));
  EXPECT_NO_THROW(check({{"format", "danlu-kettle"}, {"format_version", 1}}));
  EXPECT_THAT([&] { check({{"format", "danlu-teapot"}, {"format_version", 1}}); },
              ThrowsMessage<DataError>(AllOf(HasSubstr("k.json: not the configuration of a kettle"), HasSubstr("got \"danlu-teapot\"; expected \"danlu-kettle\""))));
  EXPECT_THAT([&] { check({{"format", "danlu-kettle"}, {"format_version", 3}}); }, ThrowsMessage<DataError>(AllOf(HasSubstr("format_version: got 3"), HasSubstr("up to 2"), HasSubstr("newer danlu"))));
  EXPECT_THROW(check(Json::object()), Json::exception);
}

}  // namespace
}  // namespace danlu::infer
