#include "danlu/base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/temporary_directory.h"

namespace danlu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// The words of the Error that body throws, or an empty string.
template <class Body>
std::string error_of(const Body& body) {
  try {
    body();
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

void write_gzip(const fs::path& path, std::string_view text) {
  gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
  ASSERT_EQ(gzclose(file), Z_OK);
}

// Runs body in a child process; its exit status is body's result.
template <class Body>
int in_child(const Body& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Files, WritesAndReadsBackAnyBytes) {
  const TemporaryDirectory directory;
  const std::string bytes("line\n\0\xFF end", 11);
  write_file_atomic(directory / "a/b/file", bytes);
  EXPECT_EQ(read_file(directory / "a/b/file"), bytes);
  write_file_atomic(directory / "a/b/file", "");
  EXPECT_EQ(read_file(directory / "a/b/file"), "");
  EXPECT_THAT(list_files(directory.path(), true), ElementsAre(directory / "a/b/file")) << "no temporary is left";
}

TEST(Files, ErrorsNameThePathAndTheReason) {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "file", "12345");
  EXPECT_THAT(error_of([&] { read_file(directory / "absent"); }),
              HasSubstr((directory / "absent").string() + ": No such file or directory; check the spelling"));
  EXPECT_THAT(error_of([&] { read_file(directory.path()); }), HasSubstr("Is a directory"));
  EXPECT_THAT(error_of([&] { read_file(directory / "file", 4); }), HasSubstr("of 5 bytes; expected at most 4"));
  EXPECT_THAT(error_of([&] { write_file_atomic(directory / "file/below", "x"); }),
              HasSubstr("cannot create directory"));
  EXPECT_THAT(error_of([&] { write_file_atomic(directory.path(), "x"); }), HasSubstr("cannot replace"));
  EXPECT_THAT(error_of([&] { list_files(directory / "absent", false); }), HasSubstr("cannot list"));
  EXPECT_THAT(error_of([&] { MappedFile(directory / "absent"); }), HasSubstr("cannot open"));
}

TEST(Files, LimitHoldsForFilesWithoutASize) {
  EXPECT_THAT(error_of([] { read_file("/dev/zero", 1000); }), HasSubstr("more than 1000"));
}

TEST(Files, GzipAndPlain) {
  const TemporaryDirectory directory;
  const std::string text(1 << 20, 'x');
  write_gzip(directory / "file.gz", text);
  write_file_atomic(directory / "plain", "as it is");
  EXPECT_EQ(read_gzip(directory / "file.gz"), text);
  EXPECT_EQ(read_gzip(directory / "plain"), "as it is");
  EXPECT_THAT(error_of([&] { read_gzip(directory / "file.gz", 1 << 10); }),
              HasSubstr("expands to more than 1024 bytes"));
  EXPECT_THAT(error_of([&] { read_gzip(directory.path()); }), HasSubstr("cannot read"));
}

TEST(Files, DamagedGzipIsRefused) {
  const TemporaryDirectory directory;
  std::string text;
  for (int i = 0; i < 10000; ++i) text += fmt::format("{} ", i * i);
  write_gzip(directory / "file.gz", text);
  const std::string whole = read_file(directory / "file.gz");
  for (const size_t size : {whole.size() / 2, whole.size() - 4, size_t{11}}) {
    write_file_atomic(directory / "cut.gz", whole.substr(0, size));
    EXPECT_THAT(error_of([&] { read_gzip(directory / "cut.gz"); }), HasSubstr("cannot read")) << "cut to " << size;
  }
  std::string flipped = whole;
  flipped[flipped.size() / 2] ^= 0x55;
  write_file_atomic(directory / "flipped.gz", flipped);
  EXPECT_THAT(error_of([&] { read_gzip(directory / "flipped.gz"); }), HasSubstr("cannot read"));
}

TEST(Files, WriterWithoutCommitLeavesTheOldFile) {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "file", "old");
  {
    AtomicFileWriter writer(directory / "file");
    writer.write("new, but ");
    writer.write("not committed");
  }
  EXPECT_EQ(read_file(directory / "file"), "old");
  EXPECT_EQ(list_files(directory.path(), false).size(), 1u);
}

TEST(Files, TwoWritersOfOnePathDoNotMix) {
  const TemporaryDirectory directory;
  AtomicFileWriter first(directory / "file"), second(directory / "file");
  first.write("first");
  second.write("second");
  first.commit();
  EXPECT_EQ(read_file(directory / "file"), "first");
  second.commit();
  EXPECT_EQ(read_file(directory / "file"), "second");
}

TEST(Files, FailedWriteLeavesTheOldFile) {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "file", "old");
  // A limit on the size of files stands for any write that fails half way.
  const int status = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    return error_of([&] { write_file_atomic(directory / "file", std::string(5000, 'n')); }).empty() ? 3 : 0;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_file(directory / "file"), "old");
  EXPECT_EQ(list_files(directory.path(), false).size(), 1u) << "the temporary was removed";
}

TEST(Files, KillAtAnyInstantLeavesAWholeFile) {
  const TemporaryDirectory directory;
  const fs::path path = directory / "file";
  const auto content = [](char c) { return std::string(300'000, c); };
  write_file_atomic(path, content('a'));
  for (int round = 0; round < 20; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (char c = 'b';; c = c == 'z' ? 'a' : static_cast<char>(c + 1)) write_file_atomic(path, content(c));
    }
    ::usleep(static_cast<useconds_t>(200 + 777 * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const std::string found = read_file(path);
    ASSERT_EQ(found, content(found[0])) << "round " << round;
  }
}

TEST(Files, WhatAKilledWriterLeftIsRemoved) {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "kept.tmp-notes", "mine");
  write_file_atomic(directory / "sub/weights", "old");
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFileWriter writer(directory / "sub/weights");
    writer.write("half");
    ::_exit(0);  // as if killed: no destructor runs
  }
  ::waitpid(child, nullptr, 0);
  ASSERT_EQ(list_files(directory.path(), true).size(), 3u);
  remove_abandoned_temporaries(directory.path());
  EXPECT_THAT(list_files(directory.path(), true), ElementsAre(directory / "kept.tmp-notes", directory / "sub/weights"));
  EXPECT_EQ(read_file(directory / "sub/weights"), "old");
}

TEST(Files, FullDiskSaysSo) {
  const TemporaryDirectory directory;
  EXPECT_THAT(error_of([] { LineAppender("/dev/full").append("line"); }),
              HasSubstr("cannot write /dev/full: No space left on device; the disk is full: free some space"));

  if (::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
    GTEST_SKIP() << "mounting a small file system needs CAP_SYS_ADMIN";
  }
  write_file_atomic(directory / "file", "old");
  const std::string words = error_of([&] { write_file_atomic(directory / "file", std::string(1 << 20, 'n')); });
  EXPECT_EQ(read_file(directory / "file"), "old");
  EXPECT_EQ(list_files(directory.path(), false).size(), 1u) << "the half-written temporary was removed";
  ::umount(directory.path().c_str());
  EXPECT_THAT(words, HasSubstr("the disk is full"));
}

TEST(Files, LinesAreAppended) {
  const TemporaryDirectory directory;
  const fs::path path = directory / "run/metrics.jsonl";
  LineAppender(path).append("one");
  LineAppender(path).append("two");
  EXPECT_EQ(read_file(path), "one\ntwo\n");
}

TEST(Files, MapsAndMoves) {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "file", "mapped");
  write_file_atomic(directory / "empty", "");
  MappedFile file(directory / "file");
  EXPECT_EQ(file.text(), "mapped");
  MappedFile moved(std::move(file));
  EXPECT_EQ(moved.text(), "mapped");
  moved = MappedFile(directory / "empty");
  EXPECT_EQ(moved.text(), "");
  EXPECT_EQ(moved.bytes().size(), 0u);
}

TEST(Files, ListIsSortedAndSurvivesBrokenLinks) {
  const TemporaryDirectory directory;
  for (const char* name : {"b", "a", "sub/c"}) write_file_atomic(directory / name, "x");
  fs::create_symlink("nowhere", directory / "dangling");
  fs::create_symlink("loop", directory / "loop");
  EXPECT_THAT(list_files(directory.path(), false), ElementsAre(directory / "a", directory / "b"));
  EXPECT_THAT(list_files(directory.path(), true), ElementsAre(directory / "a", directory / "b", directory / "sub/c"));
}

}  // namespace
}  // namespace danlu
