#include "danlu/data/table/arff.h"

#include <gtest/gtest.h>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/data/table/preprocessor.h"

namespace danlu::data {
namespace {

constexpr const char* kWeather = R"(% weather
@RELATION weather

@ATTRIBUTE temperature REAL
@attribute 'wind speed'	{low, 'very high',  calm }
@attribute note string
@attribute play {yes,no}
@DATA
21.5, 'very high', 'it\'s fine', yes   % good
-3,?,?,no

1e1, calm, "a, b\n", yes
)";

TEST(Arff, ReadsTypesCategoriesAndValues) {
  const Table table = parse_arff(kWeather, "w.arff");
  EXPECT_EQ(table.column_names(), (std::vector<std::string>{"temperature", "wind speed", "note", "play"}));
  EXPECT_EQ(table.num_rows(), 3);
  EXPECT_EQ(table.column(0).declared_type, ColumnType::number);
  EXPECT_EQ(table.column(1).declared_type, ColumnType::category);
  EXPECT_EQ(table.column(1).declared_categories, (std::vector<std::string>{"low", "very high", "calm"}));
  EXPECT_EQ(table.column(2).declared_type, std::nullopt);
  EXPECT_EQ(table.column(3).declared_type, ColumnType::binary);
  EXPECT_EQ(table.cell(0, 1), "very high");
  EXPECT_EQ(table.cell(0, 2), "it's fine");
  EXPECT_EQ(table.cell(0, 3), "yes");
  EXPECT_TRUE(is_missing(table.cell(1, 1)));
  EXPECT_EQ(table.cell(2, 2), "a, b\n");
  EXPECT_EQ(table.line(2), 12);
  const std::vector<int64_t> last = {2};
  EXPECT_EQ(table.select(last).cell(0, 2), "a, b\n");
}

TEST(Arff, DeclaredOrderIsThatOfTheClasses) {
  const Table table = parse_arff(kWeather, "w.arff");
  TableOptions options;
  options.target = "play";
  const auto p = TablePreprocessor::fit(table, all_rows(table), infer_schema(table), options);
  EXPECT_EQ(p.class_names(), (std::vector<std::string>{"yes", "no"}));
  EXPECT_EQ(p.feature_names()[1], "wind speed=low") << "declared, though no row has it";
}

TEST(Arff, Misuse) {
  const auto expect = [](const std::string& text, const std::vector<std::string>& words) {
    try {
      parse_arff(text, "w.arff");
      ADD_FAILURE() << "no error for " << text;
    } catch (const DataError& error) {
      for (const std::string& word : words)
        EXPECT_NE(error.message().find(word), std::string::npos) << word << " in: " << error.message();
    }
  };
  const std::string head = "@relation r\n@attribute a numeric\n@attribute b {x, y}\n@data\n";
  expect(head + "1,x\n2\n", {"w.arff:6", "fewer than 2"});
  expect(head + "1,x,3\n", {"w.arff:5", "more than 2"});
  expect(head + "1,z\n", {"w.arff:5", "\"b\"", "\"z\" is not declared", "x, y"});
  expect(head + "1,'x\n", {"w.arff:5", "never closed"});
  expect(head + "{0 1}\n", {"w.arff:5", "sparse"});
  expect(head + ",x\n", {"w.arff:5", "got nothing", "?"});
  expect(head, {"no rows"});
  expect("@relation r\n@attribute a numeric\n", {"no @data"});
  expect("@relation r\n@data\n1\n", {"w.arff:2", "before any @attribute"});
  expect("@relation r\n@attribute a relational\n", {"w.arff:2", "\"relational\"", "expected numeric"});
  expect("@relation r\n@attribute a {x, y\n", {"w.arff:2", "no closing }"});
  expect("@relation r\n@attribute a {x, x}\n", {"w.arff:2", "twice"});
  expect("@relation r\n@attribute a real\n@attribute a real\n", {"w.arff:3", "second attribute \"a\""});
  expect("@atribute a real\n", {"w.arff:1", "did you mean \"@attribute\""});
  expect("a,b\n1,2\n", {"w.arff:1", "\"a,b\""});
  expect("", {"empty file"});
}

TEST(Arff, AnyPiecesParseOrAreRefused) {
  const std::vector<std::string> pieces = {"@relation r\n",
                                           "@attribute a real\n",
                                           "@attribute b {x,y}\n",
                                           "@data\n",
                                           "1",
                                           ",",
                                           "x",
                                           "'",
                                           "\\",
                                           "\"",
                                           "?",
                                           "{",
                                           "}",
                                           "%",
                                           "\n",
                                           " ",
                                           "@attribute",
                                           "1,x\n"};
  Rng rng(11);
  for (int round = 0; round < 20000; ++round) {
    std::string text = rng.below(2) == 0 ? "@attribute a real\n@attribute b {x,y}\n@data\n" : "";
    for (int64_t i = rng.below(16); i > 0; --i) text += pieces[static_cast<size_t>(rng.below(std::ssize(pieces)))];
    try {
      const Table table = parse_arff(text, "fuzz");
      for (int64_t r = 0; r < table.num_rows(); ++r) table.row_hash(r);
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace danlu::data
