#include "danlu/app/recipe/source_table.h"

#include <gmock/gmock.h>

#include "danlu/base/error.h"
#include "danlu/base/temporary_directory.h"

namespace danlu::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(SourceTable, IsReadOrToldWhatItIs) {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "films.csv", "user,film\n1,2\n");
  DataSection options;
  const auto read = [&] { return read_source_table(options, "of interactions"); };
  options.source = (directory / "films.csv").string();
  EXPECT_EQ(read().num_rows(), 1);
  options.source = (directory / "firms.csv").string();
  EXPECT_THAT(read, ThrowsMessage<FileError>(AllOf(HasSubstr("data.source"), HasSubstr("there is no " + options.source))));
  options.source = directory.path().string();
  EXPECT_THAT(read, ThrowsMessage<ConfigError>(AllOf(HasSubstr("is a directory"), HasSubstr("of interactions"))));
}

}  // namespace
}  // namespace danlu::app
