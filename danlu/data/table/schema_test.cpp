#include "danlu/data/table/schema.h"

#include <gtest/gtest.h>

#include <cmath>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/csv.h"
#include "danlu/data/table/values.h"

namespace danlu::data {
namespace {

// The schema of a column made of n cells.
template <class Make>
ColumnSchema column_of(const std::string& name, int n, const Make& make) {
  std::string text = name + ",other\n";
  for (int i = 0; i < n; ++i) text += fmt::format("{},x\n", make(i));
  CsvOptions options;
  options.header = "yes";
  return infer_schema(parse_csv(text, "t.csv", options)).columns[0];
}

TEST(Schema, Types) {
  EXPECT_EQ(column_of("age", 50, [](int i) { return fmt::format("{}", i * 7 % 40); }).type, ColumnType::number);
  EXPECT_EQ(column_of("w", 50, [](int i) { return fmt::format("{}e-3", i); }).type, ColumnType::number);
  EXPECT_EQ(column_of("flag", 50, [](int i) { return fmt::format("{}", i % 2); }).type, ColumnType::binary);
  EXPECT_EQ(column_of("sex", 50, [](int i) { return i % 3 ? "m" : "f"; }).type, ColumnType::binary);
  EXPECT_EQ(column_of("city", 50, [](int i) { return fmt::format("c{}", i % 7); }).type, ColumnType::category);
  EXPECT_EQ(column_of("day", 50, [](int i) { return fmt::format("2024-03-{:02}", i % 28 + 1); }).type,
            ColumnType::date);
  EXPECT_EQ(column_of("when", 50, [](int i) { return fmt::format("2024-03-01 10:{:02}:00", i); }).type,
            ColumnType::date);
  EXPECT_EQ(column_of("note", 50, [](int i) { return fmt::format("patient {} was seen and sent home", i); }).type,
            ColumnType::text);
  EXPECT_EQ(column_of("n", 50, [](int i) { return fmt::format("{}", i + 100); }).type, ColumnType::id)
      << "counts the rows";
  EXPECT_EQ(column_of("user_id", 50, [](int i) { return fmt::format("{}", i * 37 % 1009); }).type, ColumnType::id);
  EXPECT_EQ(column_of("price", 50, [](int i) { return fmt::format("{}", i * 37 % 1009); }).type, ColumnType::number);
  EXPECT_EQ(column_of("code", 50, [](int i) { return fmt::format("k{:x}", i * 7919); }).type, ColumnType::id);
  EXPECT_EQ(column_of("none", 50, [](int) { return ""; }).reason, "every cell is missing");
}

TEST(Schema, AFewBadCellsStayFaultsOfANumberColumn) {
  const ColumnSchema column = column_of("age", 50, [](int i) { return i == 20 ? "n/a" : fmt::format("{}", i % 30); });
  EXPECT_EQ(column.type, ColumnType::number);
  EXPECT_EQ(column.reason, "49 of 50 cells are numbers, 1 are not");
}

TEST(Schema, UserOverrides) {
  const Table table = parse_csv("grade,x\n1,2\n2,3\n3,4\n", "t.csv");
  EXPECT_EQ(infer_schema(table, {{"grade", ColumnType::category}}).column("grade").reason, "set by the user");
  try {
    infer_schema(table, {{"grad", ColumnType::category}});
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(error.message().find("did you mean \"grade\""), std::string::npos) << error.message();
  }
  EXPECT_NE(to_text(infer_schema(table)).find("grade   number    all 3 cells are numbers"), std::string::npos)
      << to_text(infer_schema(table));
}

TEST(Values, Numbers) {
  EXPECT_EQ(parse_number("+1.5e3"), 1500);
  EXPECT_EQ(parse_number(" -7 "), -7);
  EXPECT_EQ(parse_number(".5"), 0.5);
  EXPECT_EQ(parse_number("1e-999"), 0.0);
  EXPECT_TRUE(std::isinf(*parse_number("1e999")));
  EXPECT_TRUE(std::isinf(*parse_number("-inf")));
  EXPECT_TRUE(std::isnan(*parse_number("NaN")));
  for (const char* word : {"", "+", "+-1", "1,5", "1 2", "0x10", "12a", "--1", "e5"})
    EXPECT_EQ(parse_number(word), std::nullopt) << word;
  EXPECT_EQ(parse_number(Cell{}), std::nullopt);
}

TEST(Values, Dates) {
  EXPECT_EQ(parse_date("1970-01-01"), 0);
  EXPECT_EQ(parse_date("2024/02/29"), 19782);
  EXPECT_EQ(parse_date("1970-01-02T12:00"), 1.5);
  EXPECT_EQ(parse_date("1970-01-02 06:00:00.0Z"), 1.25);
  EXPECT_EQ(parse_date("1970-01-02T12:00:00+06:00"), 1.25);
  for (const char* word : {"", "2023-02-29", "2024-13-01", "2024-1-1", "2024-01-01x", "2024-01-01T", "2024-01-01T25:00",
                           "2024-01/01", "20240101", "2024-01-01T10:00:00.", "2024-01-01T10:00+"}) {
    EXPECT_EQ(parse_date(word), std::nullopt) << word;
  }
}

TEST(Values, ViolationsNameFileLineColumnAndValue) {
  const Table table = parse_csv("a,d\n1,2024-01-01\nn/a,soon\ninf,2024-01-01\n", "train.csv");
  const auto message = [&](int64_t column, std::vector<int64_t> rows, ColumnType type) -> std::string {
    try {
      column_numbers(table, column, rows, type, BadCell::error);
    } catch (const DataError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message(0, {0, 1}, ColumnType::number).substr(0, 62),
            "[data.table] train.csv:3 column \"a\": \"n/a\" is not a number; if");
  EXPECT_NE(message(0, {2}, ColumnType::number).find("train.csv:4 column \"a\": \"inf\" is not a finite number"),
            std::string::npos);
  EXPECT_NE(message(1, {1}, ColumnType::date).find("train.csv:3 column \"d\": \"soon\" is not a date"),
            std::string::npos);
  const std::vector<int64_t> bad = {1};
  EXPECT_TRUE(std::isnan(column_numbers(table, 0, bad, ColumnType::number, BadCell::missing)[0]));
}

}  // namespace
}  // namespace danlu::data
