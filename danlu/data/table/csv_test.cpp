#include "danlu/data/table/csv.h"

#include <gtest/gtest.h>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"
#include "danlu/data/table/read_table.h"

namespace danlu::data {
namespace {

std::vector<std::string> row(const Table& table, int64_t index) {
  std::vector<std::string> cells;
  for (int64_t c = 0; c < table.num_columns(); ++c) {
    const Cell cell = table.cell(index, c);
    cells.push_back(is_missing(cell) ? "<missing>" : std::string(cell));
  }
  return cells;
}

using Words = std::vector<std::string>;

// The message of the DataError that parsing throws; fails the test if none is thrown.
std::string message_of(const std::string& text, const CsvOptions& options = {}) {
  try {
    parse_csv(text, "t.csv", options);
  } catch (const DataError& error) {
    return error.message();
  }
  ADD_FAILURE() << "no error for: " << text;
  return "";
}

void expect_words(const std::string& message, const Words& words) {
  for (const std::string& word : words)
    EXPECT_NE(message.find(word), std::string::npos) << "\"" << word << "\" in: " << message;
}

TEST(Csv, HeaderAndRows) {
  const Table table = parse_csv("age,sex\n31,m\n\n 40 , f \n", "t.csv");
  EXPECT_EQ(table.column_names(), (Words{"age", "sex"}));
  EXPECT_EQ(table.num_rows(), 2);
  EXPECT_EQ(row(table, 1), (Words{"40", "f"}));
  EXPECT_EQ(table.line(0), 2);
  EXPECT_EQ(table.line(1), 4) << "the blank line counts";
}

TEST(Csv, QuotesNewlinesAndCarriageReturns) {
  const Table table = parse_csv(
      "\xEF\xBB\xBF"
      "a,b\r\n\"x, \"\"y\"\"\",\"two\r\nlines\"\r\n 5\" pipe, \"q\" \r\nlast,\"\"\"\"",
      "t.csv");
  EXPECT_EQ(table.column_names(), (Words{"a", "b"}));
  EXPECT_EQ(row(table, 0), (Words{"x, \"y\"", "two\r\nlines"}));
  EXPECT_EQ(row(table, 1), (Words{"5\" pipe", "q"}));
  EXPECT_EQ(row(table, 2), (Words{"last", "\""}));
  EXPECT_EQ(table.line(1), 4);
}

TEST(Csv, OldMacLineEnds) {
  const Table table = parse_csv("a,b\r1,2\r3,4\r", "t.csv");
  EXPECT_EQ(row(table, 1), (Words{"3", "4"}));
}

TEST(Csv, MissingIsNotEmpty) {
  const Table table = parse_csv("a,b,c\n,\"\",NA\nx,?,\"NA\"\n", "t.csv");
  EXPECT_EQ(row(table, 0), (Words{"<missing>", "<missing>", "<missing>"}));
  CsvOptions options;
  options.quoted_missing = false;
  const Table strict = parse_csv("a,b,c\n,\"\",NA\nx,?,\"NA\"\n", "t.csv", options);
  EXPECT_EQ(row(strict, 0), (Words{"<missing>", "", "<missing>"}));
  EXPECT_EQ(row(strict, 1), (Words{"x", "<missing>", "NA"}));
  options.missing = {"-"};
  EXPECT_EQ(row(parse_csv("a,b\n,-\n", "t.csv", options), 0), (Words{"", "<missing>"}));
}

TEST(Csv, DelimiterIsFound) {
  EXPECT_EQ(row(parse_csv("a;b;c\n1,5;2,5;x\n2,5;1,0;y\n", "t.csv"), 0), (Words{"1,5", "2,5", "x"}));
  EXPECT_EQ(row(parse_csv("a\tb\n1, 2\t3\n", "t.csv"), 0), (Words{"1, 2", "3"}));
  EXPECT_EQ(row(parse_csv("a,b\n\"1;2;3\",4\n\"1;2\",5\n", "t.csv"), 0), (Words{"1;2;3", "4"}))
      << "quoted ones do not count";
  EXPECT_EQ(row(parse_csv("word\nhello\n", "t.csv"), 0), (Words{"hello"}));
  CsvOptions options;
  options.delimiter = "|";
  EXPECT_EQ(row(parse_csv("a|b\n1|2\n", "t.csv", options), 0), (Words{"1", "2"}));
  options.delimiter = "ab";
  EXPECT_THROW(parse_csv("a|b\n1|2\n", "t.csv", options), ConfigError);
}

TEST(Csv, HeaderIsFound) {
  EXPECT_EQ(parse_csv("1,2\n3,4\n", "t.csv").column_names(), (Words{"column_1", "column_2"}));
  EXPECT_EQ(parse_csv("1,2\n3,4\n", "t.csv").num_rows(), 2);
  EXPECT_EQ(parse_csv(",sex\n3,m\n", "t.csv").column_names(), (Words{"column_1", "sex"})) << "a nameless index column";
  CsvOptions years;
  years.header = "yes";
  EXPECT_EQ(parse_csv("2019,2020\n3,4\n", "t.csv", years).column_names(), (Words{"2019", "2020"}));
}

TEST(Csv, FirstLineThatIsNoHeader) {  // as in scikit-learn's breast_cancer.csv
  CsvOptions options;
  options.skip_lines = 1;
  options.header = "no";
  options.names = {"radius", "texture", "class"};
  const Table table = parse_csv("2,2,malignant,benign\n17.99,10.38,0\n20.57,17.77,1\n", "t.csv", options);
  EXPECT_EQ(table.column_names(), options.names);
  EXPECT_EQ(table.num_rows(), 2);
  EXPECT_EQ(table.line(0), 2);
  options.names.pop_back();
  expect_words(message_of("x\n1,2,3\n", options), {"t.csv:2", "got 3 columns", "expected 2", "names"});
}

TEST(Csv, Misuse) {
  expect_words(message_of("a,b,c\n1,2,3\n1,2\n"), {"t.csv:3:1", "got 2 cells", "expected 3", "line 1", "quotes"});
  expect_words(message_of("a,b\n1,2\n1,2,3\n"), {"t.csv:3:1", "got 3 cells", "expected 2"});
  expect_words(message_of("a,b\n1,\"open\n2,3\n"), {"t.csv:2:3", "never closed", "written twice"});
  expect_words(message_of("a,b\n\"x\"y,1\n"), {"t.csv:2:4", "after a closing quote"});
  expect_words(message_of("a,b\nok,1\n\xC3\xA9t\xE9,2\n"), {"t.csv:3:3", "0xE9", "UTF-8", "LATIN1"});
  expect_words(message_of(""), {"t.csv", "empty file"});
  expect_words(message_of(" \n\n"), {"empty file"});
  expect_words(message_of("\xEF\xBB\xBF"), {"empty file"});
  expect_words(message_of("a,b\n"), {"no rows", "header: no"});
  expect_words(message_of("a,b,a\n1,2,3\n"), {"t.csv:1", "columns 1 and 3", "\"a\"", "distinct"});
  expect_words(message_of("\xFF\xFE"
                          "a"),
               {"UTF-16", "iconv"});
  expect_words(message_of(std::string("a,b\n1,\0\n", 8)), {"t.csv:2:3", "NUL"});
}

TEST(Csv, AWideHeaderOverManyBlankLinesCostsLittle) {
  std::string text = "c0";
  for (int i = 1; i < 20000; ++i) text += ",c" + std::to_string(i);
  text += std::string(1000000, '\n');  // 20,000 columns of a million cells would be 320 GB
  expect_words(message_of(text), {"no rows"});
}

TEST(Csv, ColumnsCountCharactersAfterUnescaping) {
  expect_words(message_of("a,b,c\n\"\xC3\xA9\"\"\xC3\xA9\",\"x\"y,1\n"), {"t.csv:2:11"});
}

TEST(Csv, ReadsFilesByExtension) {
  const fs::path folder = fs::temp_directory_path() / "danlu_csv_test";
  fs::remove_all(folder);
  write_file_atomic(folder / "t.TSV", "a\tb\n1;2;3\tx\n");
  EXPECT_EQ(row(read_table(folder / "t.TSV"), 0), (Words{"1;2;3", "x"}));
  write_file_atomic(folder / "t.jsonl", "{\"a\": 1, \"b\": \"x\"}\n\n{\"a\": null, \"b\": \"y\"}\n");
  EXPECT_EQ(row(read_table(folder / "t.jsonl"), 1), (Words{"<missing>", "y"}));
  write_file_atomic(folder / "t.xlsx", "a");
  try {
    read_table(folder / "t.xlsx");
    FAIL();
  } catch (const DataError& error) {
    expect_words(error.message(), {"t.xlsx", ".xlsx", "expected .csv"});
  }
  EXPECT_THROW(read_table(folder / "absent.csv"), FileError);
  fs::remove_all(folder);
}

// Whatever the bytes, parsing either gives a rectangular table or throws one of our errors.
TEST(Csv, AnyBytesParseOrAreRefused) {
  const Words pieces = {"a",  "1",    ",", ";", "\t", "\"",       "\"\"",  "\n",
                        "\r", "\r\n", " ", ".", "?",  "\xC3\xA9", "2,3\n", "x,y\n"};
  Rng rng(7);
  int64_t tables = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    const int64_t length = rng.below(20);
    for (int64_t i = 0; i < length; ++i) text += pieces[static_cast<size_t>(rng.below(std::ssize(pieces)))];
    if (rng.below(20) == 0) text += static_cast<char>(rng.below(256));
    CsvOptions options;
    options.trim = rng.below(2) == 0;
    options.skip_lines = rng.below(3);
    try {
      const Table table = parse_csv(text, "fuzz", options);
      ++tables;
      ASSERT_GT(table.num_rows(), 0);
      for (int64_t r = 0; r < table.num_rows(); ++r) table.row_hash(r);
    } catch (const Error&) {
    }
  }
  EXPECT_GT(tables, 1000) << "the test must reach the good path too";
}

}  // namespace
}  // namespace danlu::data
