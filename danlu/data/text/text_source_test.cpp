#include "danlu/data/text/text_source.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

using Texts = std::vector<std::string>;

Texts texts_of(TextSource& source) {
  Texts texts;
  Document document;
  while (source.next(document)) texts.push_back(document.text);
  return texts;
}

Texts texts_of(const fs::path& path, const TextSourceOptions& options = {}) {
  TextSource source({path.string()}, options);
  return texts_of(source);
}

std::string error_in(const fs::path& path, const TextSourceOptions& options = {}) {
  return error_of([&] { texts_of(path, options); });
}

void write_gzip(const fs::path& path, const std::string& text) {
  gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
  ASSERT_EQ(gzclose(file), Z_OK);
}

TEST(TextSource, DividesTextFiles) {
  const TemporaryDirectory directory;
  const fs::path path = directory / "a.txt";
  write_file_atomic(path, "\xEF\xBB\xBFone\r\ntwo\n\n \nthree\n%\nfour");
  EXPECT_EQ(texts_of(path), (Texts{"one\r\ntwo\n\n \nthree\n%\nfour"}));
  EXPECT_EQ(texts_of(path, {.documents = "line"}), (Texts{"one", "two", "three", "%", "four"}));
  EXPECT_EQ(texts_of(path, {.documents = "blank_line"}), (Texts{"one\r\ntwo", "three\n%\nfour"}));
  EXPECT_EQ(texts_of(path, {.documents = "separator"}), (Texts{"one\r\ntwo\n\n \nthree", "four"}));
  write_file_atomic(path, "%\n%\r\none\n%\n \n%\n");
  EXPECT_EQ(texts_of(path, {.documents = "separator"}), (Texts{"one"}));
  write_file_atomic(path, " \n\n");
  EXPECT_EQ(texts_of(path), Texts{});
}

TEST(TextSource, SaysWhereDocumentsAre) {
  const TemporaryDirectory directory;
  const fs::path a = directory / "a.txt", b = directory / "b.jsonl";
  write_file_atomic(a, "\n\none\n\n\ntwo\n");
  write_file_atomic(b, "\n{\"text\": \"three\"}\n");
  TextSource source({directory.path().string()}, {.documents = "blank_line"});
  Texts places;
  Document document;
  while (source.next(document)) places.push_back(document.place);
  EXPECT_EQ(places, (Texts{a.string() + ":3", a.string() + ":6", b.string() + ":2"}));
  EXPECT_EQ(source.documents(), 3);
  EXPECT_EQ(source.bytes(), 11);
  EXPECT_EQ(source.files_read(), 2);
  EXPECT_FALSE(source.next(document));
  source.rewind();
  EXPECT_EQ(texts_of(source), (Texts{"one", "two", "three"}));
}

TEST(TextSource, ReadsJsonLines) {
  const TemporaryDirectory directory;
  const fs::path path = directory / "a.jsonl";
  write_file_atomic(path, "{\"text\":\"\\u6625\\u7720\",\"id\":1}\n\n{\"id\":2,\"text\":\"two\\nlines\"}\n{\"text\":\" \"}");
  EXPECT_EQ(texts_of(path), (Texts{"春眠", "two\nlines"}));
  write_file_atomic(path, "{\"text\":\"a\"}\n{\"texts\":\"b\"}\n{\"text\":\"c\"}\n");
  EXPECT_TRUE(contains(error_in(path), "a.jsonl:2: got no \"text\"; did you mean \"texts\"?"));
  TextSource source({path.string()}, {});
  Document document;
  EXPECT_TRUE(source.next(document));
  EXPECT_THROW(source.next(document), DataError);
  EXPECT_TRUE(source.next(document));
  EXPECT_EQ(document.text, "c");
  write_file_atomic(path, "{\"text\":\"a\"}\n{\"text\": oops}\n");
  EXPECT_TRUE(contains(error_in(path), "a.jsonl:2:10: not valid JSON"));
  write_file_atomic(path, "[1]\n");
  EXPECT_TRUE(contains(error_in(path), "a.jsonl:1: got a JSON array; expected an object with \"text\""));
  write_file_atomic(path, "{\"text\":[1]}\n");
  EXPECT_TRUE(contains(error_in(path), "a.jsonl:1: \"text\": got a array; expected text"));
  write_file_atomic(path, "{\"body\":\"b\"}\n");
  EXPECT_EQ(texts_of(path, {.field = "body"}), Texts{"b"});
}

TEST(TextSource, LongDocumentsComeInPieces) {
  const TemporaryDirectory directory;
  const fs::path path = directory / "a.txt";
  std::string text, lines;
  for (int i = 0; i < 300; ++i) text += std::to_string(i * 37) + " 春眠不觉晓\n";
  write_file_atomic(path, text);
  for (const int64_t piece_bytes : {1, 2, 5, 40, 100, 1000, 1 << 20}) {
    TextSource source({path.string()}, {.piece_bytes = piece_bytes});
    Document document;
    std::string all;
    bool first = true, last = false;
    while (source.next(document)) {
      EXPECT_EQ(document.first, first);
      EXPECT_LE(std::ssize(document.text), std::max<int64_t>(piece_bytes, 4));
      EXPECT_TRUE(piece_bytes < 100 || document.last || document.text.ends_with('\n'));
      all += document.text;
      first = false, last = document.last;
    }
    EXPECT_TRUE(all == text) << piece_bytes;
    EXPECT_TRUE(last);
    EXPECT_EQ(source.documents(), 1);
  }
  // Lines longer than a piece.
  write_file_atomic(path, "春眠不觉晓\n处处\n闻啼鸟夜来风雨声\n");
  TextSource source({path.string()}, {.documents = "line", .piece_bytes = 6});
  Document document;
  Texts pieces;
  while (source.next(document)) pieces.push_back((document.first ? "<" : "") + document.text + (document.last ? ">" : ""));
  EXPECT_EQ(pieces, (Texts{"<春眠", "不觉", "晓>", "<处处", ">", "<闻啼", "鸟夜", "来风", "雨声", ">"}));
}

TEST(TextSource, ReadsGzip) {
  const TemporaryDirectory directory;
  write_gzip(directory / "a.txt.gz", "春眠");
  write_gzip(directory / "b.jsonl.gz", "{\"text\":\"b\"}\n");
  EXPECT_EQ(texts_of(directory.path()), (Texts{"春眠", "b"}));
  const std::string bytes = read_file(directory / "a.txt.gz");
  write_file_atomic(directory / "a.txt.gz", bytes.substr(0, bytes.size() - 9));
  EXPECT_TRUE(contains(error_in(directory / "a.txt.gz"), "a.txt.gz: the compressed stream is cut short"));
}

TEST(TextSource, TreatsInvalidBytesAsAsked) {
  const TemporaryDirectory directory;
  const fs::path path = directory / "a.txt";
  write_file_atomic(path, "one\n春\xFF\xFE眠\xE6\x98 x\xE6");
  EXPECT_EQ(texts_of(path), Texts{"one\n春\uFFFD\uFFFD眠\uFFFD x\uFFFD"});
  TextSource source({path.string()}, {});
  texts_of(source);
  EXPECT_EQ(source.replaced(), 1);
  EXPECT_EQ(texts_of(path, {.invalid_utf8 = "keep"}), Texts{"one\n春\xFF\xFE眠\xE6\x98 x\xE6"});
  EXPECT_TRUE(contains(error_in(path, {.invalid_utf8 = "error"}), "a.txt:2:2: got byte 0xFF, which is not valid UTF-8"));
  write_file_atomic(path, std::string("\xFF\xFEh\0i\0", 6));
  EXPECT_TRUE(contains(error_in(path), "a.txt:1:1: got UTF-16 text"));
  write_file_atomic(path, std::string("\x7F" "ELF\0\0", 6));
  EXPECT_TRUE(contains(error_in(path), "a.txt: got a NUL byte near the start; expected text; is this a binary file?"));
}

TEST(TextSource, FindsFiles) {
  const TemporaryDirectory directory;
  for (const char* name : {"b.txt", "a.txt", ".hidden.txt", "fortunes", "fortunes.dat", "x/c.md", "x/y/d.txt.gz", "x/e.png"}) {
    write_file_atomic(directory / name, name);
  }
  const std::string root = directory.path().string() + "/";
  const auto found = [&](const Texts& names) {
    Texts files;
    for (std::string name : names) {
      for (const fs::path& file : find_text_files({root + name})) files.push_back(file.string().substr(root.size()));
    }
    return files;
  };
  EXPECT_EQ(found({""}), (Texts{"a.txt", "b.txt", "fortunes", "x/c.md", "x/y/d.txt.gz"}));
  EXPECT_EQ(found({"?.txt"}), (Texts{"a.txt", "b.txt"}));
  EXPECT_EQ(found({"*/*.*"}), (Texts{"x/c.md", "x/e.png"}));
  EXPECT_EQ(found({"**/*.txt*"}), (Texts{".hidden.txt", "a.txt", "b.txt", "x/y/d.txt.gz"}));
  EXPECT_EQ(found({"x/**"}), (Texts{"x/c.md", "x/e.png", "x/y/d.txt.gz"}));
  EXPECT_EQ(found({"fortunes.dat"}), Texts{"fortunes.dat"});
  EXPECT_EQ(find_text_files({root + "b.txt", root + "*.txt", root + "x/../b.txt"}).size(), 3u);  // each once
  EXPECT_TRUE(contains(error_of([&] { found({"c.txt"}); }), "c.txt; check the spelling"));
  EXPECT_TRUE(contains(error_of([&] { found({"*.csv"}); }), "*.csv, which no file matches"));
  EXPECT_TRUE(contains(error_of([&] { find_text_files({}); }), "got no files"));
  fs::create_directory(directory / "empty");
  EXPECT_TRUE(contains(error_of([&] { found({"empty"}); }), "empty without text files"));
}

}  // namespace
}  // namespace danlu::data
