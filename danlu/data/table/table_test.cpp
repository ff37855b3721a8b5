#include "danlu/data/table/table.h"

#include <gtest/gtest.h>

#include "danlu/base/error.h"
#include "danlu/data/table/csv.h"

namespace danlu::data {
namespace {

template <class Body>
void expect_error(const Body& body, const std::vector<std::string>& words) {
  try {
    body();
    ADD_FAILURE() << "no error";
  } catch (const DataError& error) {
    for (const std::string& word : words) {
      EXPECT_NE(error.message().find(word), std::string::npos) << "\"" << word << "\" in: " << error.message();
    }
  }
}

TEST(Table, SelectKeepsOrderLinesAndText) {
  Table selected;
  {
    const Table table = parse_csv("a,b\n1,x\n2,y\n3,z\n", "t.csv");
    const std::vector<int64_t> rows = {2, 0, 2};
    selected = table.select(rows);
  }  // the text outlives the first table
  EXPECT_EQ(selected.num_rows(), 3);
  EXPECT_EQ(selected.cell(0, 1), "z");
  EXPECT_EQ(selected.cell(1, 0), "1");
  EXPECT_EQ(selected.line(0), 4);
  EXPECT_EQ(selected.place(1, 1), "t.csv:2 column \"b\"");
  const std::vector<int64_t> bad = {3};
  expect_error([&] { selected.select(bad); }, {"row 3", "0 to 2"});
}

TEST(Table, RowHashIsOfTheContent) {
  const Table table = parse_csv("a,b,c\nab,c,\na,bc,\nab,c,\nab,c,x\n", "t.csv");
  EXPECT_EQ(table.row_hash(0), table.row_hash(2));
  EXPECT_NE(table.row_hash(0), table.row_hash(1));
  EXPECT_NE(table.row_hash(0), table.row_hash(3));
  const std::vector<int64_t> two = {0, 1};
  EXPECT_EQ(table.row_hash(0, two), table.row_hash(3, two));
  CsvOptions options;
  options.quoted_missing = false;
  const Table empty = parse_csv("a,b\n,x\n\"\",x\n", "t.csv", options);
  EXPECT_NE(empty.row_hash(0), empty.row_hash(1)) << "missing is not empty";
}

TEST(Table, UnknownColumnNamesTheNearest) {
  const Table table = parse_csv("diagnosis,age\nx,3\n", "t.csv");
  expect_error([&] { table.column_index("diagnois"); }, {"t.csv", "\"diagnois\"", "did you mean \"diagnosis\""});
  EXPECT_EQ(table.find_column("nothing"), std::nullopt);
}

TEST(TableFromRows, Values) {
  const Table table = table_from_rows(Json::parse(R"([{"age": 3, "w": 1.5, "sex": "m", "smokes": true},
                                                      {"sex": null, "smokes": false, "age": 4.0, "w": 1e-7}])"));
  EXPECT_EQ(table.column_names(), (std::vector<std::string>{"age", "w", "sex", "smokes"}));
  EXPECT_EQ(table.cell(0, 0), "3");
  EXPECT_EQ(table.cell(1, 0), "4") << "as a file would have it";
  EXPECT_EQ(table.cell(0, 1), "1.5");
  EXPECT_EQ(std::stod(std::string(table.cell(1, 1))), 1e-7);
  EXPECT_EQ(table.cell(0, 3), "true");
  EXPECT_TRUE(is_missing(table.cell(1, 2)));
  EXPECT_EQ(table.place(1, 2), "request row 2 column \"sex\"");
  const std::vector<int64_t> second = {1};
  EXPECT_EQ(table.select(second).place(0, 2), "request row 2 column \"sex\"");
}

TEST(TableFromRows, WordsForAMissingValue) {
  const Json rows = Json::parse(R"([{"age": -9, "sex": "-9", "w": "NA"}])");
  const Table plain = table_from_rows(rows);
  for (int64_t column = 0; column < 3; ++column) EXPECT_FALSE(is_missing(plain.cell(0, column)));
  const Table all = table_from_rows(rows, "request", {.words = {"-9"}});
  EXPECT_TRUE(is_missing(all.cell(0, 0)) && is_missing(all.cell(0, 1)));
  EXPECT_EQ(all.cell(0, 2), "NA");
  const Table unquoted = table_from_rows(rows, "request", {.words = {"-9"}, .quoted = false});
  EXPECT_TRUE(is_missing(unquoted.cell(0, 0)));
  EXPECT_EQ(unquoted.cell(0, 1), "-9");
}

TEST(TableFromRows, Misuse) {
  const auto rows = [](const char* json) { return [json] { table_from_rows(Json::parse(json)); }; };
  expect_error(rows(R"([{"age": 3, "sex": "m"}, {"agee": 3, "sex": "m"}])"), {"row 2", "no \"age\"", "null"});
  expect_error(rows(R"([{"age": 3}, {"age": 3, "agee": 4}])"), {"row 2", "unknown \"agee\"", "did you mean \"age\""});
  expect_error(rows(R"([{"age": [3]}])"), {"row 1", "\"age\"", "[3]", "expected a number"});
  expect_error(rows(R"([3])"), {"row 1", "expected an object"});
  expect_error(rows(R"([])"), {"no rows"});
  expect_error(rows(R"({"age": 3})"), {"expected a list of rows"});
}

TEST(TableFromSplit, ValuesAndMisuse) {
  const Table table = table_from_split(Json::parse(R"({"columns": ["a", "b"], "data": [[1, "x"], [2, null]]})"));
  EXPECT_EQ(table.cell(1, 0), "2");
  EXPECT_TRUE(is_missing(table.cell(1, 1)));
  expect_error([] { table_from_split(Json::parse(R"({"columns": ["a", "b"], "data": [[1]]})")); },
               {"row 1", "2 values"});
  expect_error([] { table_from_split(Json::parse(R"({"columns": ["a", "a"], "data": [[1, 2]]})")); },
               {"two columns named \"a\""});
  expect_error([] { table_from_split(Json::parse(R"({"data": [[1]]})")); }, {"\"columns\""});
}

}  // namespace
}  // namespace danlu::data
