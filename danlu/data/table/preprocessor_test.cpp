#include "danlu/data/table/preprocessor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/data/table/csv.h"

namespace danlu::data {
namespace {

template <class E = DataError, class Body>
void expect_error(const Body& body, const std::vector<std::string>& words) {
  try {
    body();
    ADD_FAILURE() << "no error";
  } catch (const E& error) {
    for (const std::string& word : words) {
      EXPECT_NE(error.message().find(word), std::string::npos) << "\"" << word << "\" in: " << error.message();
    }
  }
}

std::vector<int64_t> first(int64_t n) {
  std::vector<int64_t> rows(static_cast<size_t>(n));
  std::iota(rows.begin(), rows.end(), int64_t{0});
  return rows;
}

TableOptions predicting(const std::string& target) {
  TableOptions options;
  options.target = target;
  return options;
}

TablePreprocessor fit(const Table& table, std::span<const int64_t> rows, const TableOptions& options) {
  return TablePreprocessor::fit(table, rows, infer_schema(table, type_overrides(options)), options);
}

TablePreprocessor fit(const Table& table, const TableOptions& options) { return fit(table, all_rows(table), options); }

// A patient table with every kind of column; about one row in ten lacks its weight.
std::string patients(int64_t rows, uint64_t seed) {
  Rng rng(seed);
  std::string text = "id,age,weight,city,smoker,seen,ward,note,ill\n";
  const std::vector<std::string> cities = {"Bern", "Lima", "Oslo"};
  for (int64_t i = 0; i < rows; ++i) {
    const std::string weight = rng.below(10) == 0 ? "" : fmt::format("{:.2f}", 70 + 9 * rng.normal());
    text += fmt::format("{},{},{},{},{},2024-01-{:02},A,seen on {} and sent home,{}\n", i + 1, 20 + rng.below(60),
                        weight, cities[static_cast<size_t>(rng.below(3))], rng.below(2) ? "yes" : "no",
                        1 + rng.below(28), i, rng.below(2) ? "sick" : "healthy");
  }
  return text;
}

TEST(TablePreprocessor, DerivesEverything) {
  const Table table = parse_csv(patients(200, 1), "p.csv");
  const TablePreprocessor p = fit(table, predicting("ill"));
  EXPECT_EQ(p.task(), TaskKind::binary);
  EXPECT_EQ(p.class_names(), (std::vector<std::string>{"healthy", "sick"}));
  EXPECT_EQ(p.feature_names(), (std::vector<std::string>{"age", "weight", "weight missing", "city=Bern", "city=Lima",
                                                         "city=Oslo", "smoker=yes", "seen"}));
  EXPECT_EQ(p.input_columns(), (std::vector<std::string>{"age", "weight", "city", "smoker", "seen"}));
  std::vector<std::string> left_out;
  for (const LeftOut& column : p.left_out()) left_out.push_back(column.name);
  EXPECT_EQ(left_out, (std::vector<std::string>{"id", "ward", "note"}));
  EXPECT_NE(p.reasons().find("constant in the training rows (A)"), std::string::npos) << p.reasons();

  const Tensor x = p.apply(table);
  EXPECT_EQ(x.shape(), (Shape{200, p.num_features()}));
  for (int64_t f : {0, 1, 7}) {  // standard scale: mean 0, deviation 1
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < 200; ++i) {
      const double v = x.data()[i * p.num_features() + f];
      sum += v;
      squares += v * v;
    }
    EXPECT_NEAR(sum / 200, 0, 1e-6);
    EXPECT_NEAR(squares / 200, 1, 1e-5);
  }
  const Tensor y = p.labels(table, all_rows(table));
  EXPECT_EQ(y.dtype(), Dtype::i64);
  EXPECT_EQ(y.data<int64_t>()[0], table.cell(0, 8) == "sick" ? 1 : 0);
}

TEST(TablePreprocessor, LooksAtTrainingRowsOnly) {
  const std::string text = patients(120, 2);
  // The same first 100 rows, others after them.
  size_t cut = 0;
  for (int i = 0; i < 101; ++i) cut = text.find('\n', cut) + 1;
  std::string other = text.substr(0, cut);
  for (int i = 0; i < 20; ++i)
    other += fmt::format("{},{},{},Rome,no,2030-01-01,B,note,sick\n", 1000 + i, -500 - i, 1e6 * i);
  const Table table = parse_csv(text, "p.csv"), changed = parse_csv(other, "p.csv");
  const Schema schema = infer_schema(table);
  TableOptions options = predicting("ill");
  for (const char* method : {"zscore", "iqr", "percentile"}) {
    options.all_columns.outliers.method = method;
    for (const char* scale : {"standard", "minmax", "log", "quantile"}) {
      options.all_columns.scale = scale;
      const Json before = TablePreprocessor::fit(table, first(100), schema, options).to_json();
      EXPECT_EQ(before, TablePreprocessor::fit(changed, first(100), schema, options).to_json());
      EXPECT_NE(before, TablePreprocessor::fit(changed, first(120), schema, options).to_json())
          << "the rows must matter";
    }
  }
}

TEST(TablePreprocessor, SavedIsExact) {
  const Table table = parse_csv(patients(150, 3), "p.csv");
  for (const char* scale : {"auto", "minmax", "log", "quantile", "none"}) {
    TableOptions options = predicting("ill");
    options.all_columns.scale = scale;
    options.all_columns.outliers.method = "iqr";
    options.columns["age"].outliers.method = "zscore";
    options.columns["age"].outliers.action = "flag";
    options.columns["age"].outliers.threshold = 1;
    options.columns["city"].encode.method = "ordinal";
    options.columns["weight"].impute.method = "ffill";
    const TablePreprocessor p = fit(table, options);
    const TablePreprocessor q = TablePreprocessor::from_json(Json::parse(p.to_json().dump()));
    EXPECT_EQ(p.to_json(), q.to_json());
    EXPECT_EQ(p.apply(table).to_vector(), q.apply(table).to_vector());
  }
}

TEST(TablePreprocessor, DamagedStateIsRefused) {
  const Table table = parse_csv(patients(50, 3), "p.csv");
  const Json good = fit(table, predicting("ill")).to_json();
  const auto damaged = [&](const auto& damage) {
    return [&good, damage] {
      Json json = good;
      damage(json);
      TablePreprocessor::from_json(json);
    };
  };
  expect_error(damaged([](Json& j) { j["columns"][0]["scale"]["scale"] = 0; }),
               {"preprocess.json", "column \"age\" scale", "above 0"});
  expect_error(damaged([](Json& j) { j["columns"][0].erase("impute"); }), {"column \"age\"", "\"impute\"", "nothing"});
  expect_error(damaged([](Json& j) { j["columns"][2]["encode"]["categories"] = {"a", "a"}; }), {"city", "distinct"});
  expect_error(damaged([](Json& j) { j["target"]["classes"] = {"a"}; }), {"at least two"});
  expect_error(damaged([](Json& j) { j["version"] = 2; }), {"\"version\"", "expected 1"});
  expect_error(damaged([](Json& j) { j["columns"] = 3; }), {"\"columns\"", "a list"});
  expect_error(damaged([](Json& j) { j["features"].push_back("more"); }), {"\"features\""});
  expect_error(damaged([](Json& j) { j = Json::array(); }), {"no object"});
}

TEST(TablePreprocessor, PredictNeedsNoTargetButEveryInput) {
  const Table table = parse_csv("a,b,y\n1,u,no\n2,v,yes\n3,u,no\n5,v,yes\n", "t.csv");
  const TablePreprocessor p = fit(table, predicting("y"));
  const Tensor x = p.apply(table_from_rows(Json::parse(R"([{"b": "v", "a": 3, "more": 1}])")));
  EXPECT_EQ(x.to_vector(), p.apply(parse_csv("a,b\n3,v\n", "u.csv")).to_vector());
  expect_error([&] { p.apply(table_from_rows(Json::parse(R"([{"c": 1}])"))); },
               {"request", "got no column \"a\", \"b\"; expected all 2 of the training data; there, but not used: \"c\""});
  expect_error([&] { p.apply(parse_csv("b,y\nu,no\n", "u.csv")); }, {"u.csv: got no column \"a\"; expected all 2 of the training data"});
  expect_error([&] { p.apply(parse_csv("a,b\nx,u\n", "u.csv")); },
               {"u.csv:2", "column \"a\"", "\"x\" is not a number", "on_bad_cell"});
  expect_error([&] { p.apply(parse_csv("a,b\n1e300,u\n", "u.csv")); }, {"u.csv:2", "too large"});
}

TEST(TablePreprocessor, AWideTableWithoutItsColumnsGivesAShortMessage) {
  std::string header = "y", first = "no", second = "yes";
  for (int i = 0; i < 200; ++i) {
    header += ",feature_" + std::to_string(i);
    first += "," + std::to_string(i);
    second += "," + std::to_string(i + 1);
  }
  const std::string text = header + "\n" + first + "\n" + second + "\n" + first + "\n" + second + "\n";
  const TablePreprocessor p = fit(parse_csv(text, "t.csv"), predicting("y"));
  try {
    p.apply(parse_csv("a\n1\n", "u.csv"));
    FAIL() << "no error";
  } catch (const DataError& error) {
    EXPECT_NE(error.message().find("\"feature_9\" and 190 more; expected all 200"), std::string::npos) << error.what();
    EXPECT_LT(error.message().size(), 300u);
  }
}

TEST(TablePreprocessor, UnknownCategory) {
  const std::string train = "c,x,y\na,1,0\nb,2,1\nc,3,0\na,4,1\n";
  const auto features = [&](const char* method, const char* unknown, const char* csv) {
    TableOptions options = predicting("y");
    options.columns["c"].encode.method = method;
    options.columns["c"].encode.unknown = unknown;
    options.columns["x"].drop = true;
    return fit(parse_csv(train, "t.csv"), options).apply(parse_csv(csv, "u.csv")).to_vector();
  };
  EXPECT_EQ(features("one_hot", "zero", "c\nb\nz\n"), (std::vector<float>{0, 1, 0, 0, 0, 0}));
  EXPECT_EQ(features("one_hot", "reserve", "c\nb\nz\n"), (std::vector<float>{0, 1, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(features("ordinal", "reserve", "c\na\nz\n"), (std::vector<float>{0, 1}));
  expect_error([&] { features("one_hot", "error", "c\nb\nbb\n"); },
               {"u.csv:3", "column \"c\"", "\"bb\"", "one of a, b, c", "did you mean \"b\"", "encode.unknown"});
}

TEST(TablePreprocessor, GapsAndOutliersDropTrainingRowsOnly) {
  const Table table = parse_csv("a,b,y\n1,1,p\n2,,q\n3,2,p\n4,3,q\n900,4,p\n5,5,q\n,6,p\n", "t.csv");
  TableOptions options = predicting("y");
  options.all_columns.impute.method = "drop_row";
  options.columns["a"].outliers = {"zscore", "drop", 1.5, 0.01};
  const TablePreprocessor p = fit(table, options);
  EXPECT_EQ(p.training_rows(), (std::vector<int64_t>{0, 2, 3, 5}));
  const Tensor x = p.apply(table);  // as validation: every row stays, gaps filled, outliers clipped
  EXPECT_EQ(x.size(0), 7);
  for (const float value : x.to_vector()) EXPECT_TRUE(std::isfinite(value));
}

TEST(TablePreprocessor, CarriesAlongTheTableWhateverTheOrder) {
  const Table table = parse_csv("a,y\n1,p\n,q\n3,p\n,q\n", "t.csv");
  TableOptions options = predicting("y");
  options.columns["a"].impute.method = "ffill";
  options.columns["a"].scale = "none";
  const TablePreprocessor p = fit(table, options);
  const std::vector<int64_t> shuffled = {3, 0, 2, 1};
  EXPECT_EQ(p.apply(table, shuffled).to_vector(), (std::vector<float>{3, 1, 3, 1}));
  const std::vector<int64_t> alone = {1};
  EXPECT_EQ(p.apply(table, alone).to_vector(), (std::vector<float>{2})) << "the training median";
}

TEST(TablePreprocessor, Regression) {
  std::string text = "x,y\n";
  for (int i = 0; i < 40; ++i) text += fmt::format("{},{}\n", i * 1.5, 100 + i * 0.25);
  const Table table = parse_csv(text, "t.csv");
  const TablePreprocessor p = fit(table, predicting("y"));
  EXPECT_EQ(p.task(), TaskKind::regression);
  EXPECT_TRUE(p.class_names().empty());
  const Tensor y = p.labels(table, all_rows(table));
  EXPECT_EQ(y.dtype(), Dtype::f32);
  EXPECT_NEAR(p.inverse_target(y.data()[7]), 101.75, 1e-4);
}

TEST(TablePreprocessor, TargetClasses) {
  std::string digits = "x,y\n";
  for (int i = 0; i < 120; ++i) digits += fmt::format("{},{}\n", i * 0.5, i % 11);
  EXPECT_EQ(fit(parse_csv(digits, "t.csv"), predicting("y")).class_names()[10], "10") << "numbers sort by value";
  const Table table = parse_csv("x,y\n1,b\n2,a\n3,b\n", "t.csv");
  TableOptions options = predicting("y");
  options.classes = {"b", "a"};
  EXPECT_EQ(fit(table, options).labels(table, all_rows(table)).data<int64_t>()[0], 0);
  options.classes = {"b", "c"};
  expect_error([&] { fit(table, options); }, {"t.csv:3", "\"a\"", "one of b, c"});
}

TEST(TablePreprocessor, Misuse) {
  const Table table = parse_csv("a,b,y\n1,u,p\n2,v,q\n3,u,\n4,v,p\n", "t.csv");
  expect_error([&] { fit(table, predicting("z")); }, {"no column \"z\""});
  expect_error([&] { fit(table, predicting("y")); }, {"t.csv:4", "column \"y\"", "target is missing"});
  EXPECT_EQ(labelled_rows(table, {"y"}, all_rows(table)), (std::vector<int64_t>{0, 1, 3}));
  expect_error([&] { fit(table, first(1), predicting("y")); }, {"one class"});
  TableOptions options = predicting("y");
  options.columns["c"].drop = true;
  expect_error([&] { fit(table, first(2), options); }, {"no column \"c\""});
  options = predicting("y");
  options.columns["b"].impute.method = "mean";
  expect_error<ConfigError>([&] { fit(table, first(2), options); }, {"\"b\"", "mean", "expected mode"});
  options = predicting("y");
  options.columns["a"].impute.method = "constant";
  options.columns["a"].impute.fill = "x";
  expect_error<ConfigError>([&] { fit(table, first(2), options); }, {"\"a\"", "impute.fill \"x\"", "a number"});
  options = predicting("y");
  options.all_columns.drop = true;
  expect_error([&] { fit(table, first(2), options); }, {"no column is left", "left out by the user"});
}

TEST(TablePreprocessor, NotANumberIsAnErrorUntilDeclared) {
  std::string text = "a,y\n";
  for (int i = 0; i < 30; ++i)
    text += fmt::format("{},{}\n", i == 11 ? "nan" : std::to_string(i * 3 % 17), i % 2 ? "p" : "q");
  expect_error([&] { fit(parse_csv(text, "t.csv"), predicting("y")); },
               {"t.csv:13", "column \"a\"", "\"nan\" is not a finite number", "missing"});
  CsvOptions csv;
  csv.missing.push_back("nan");
  EXPECT_EQ(fit(parse_csv(text, "t.csv", csv), predicting("y")).num_features(), 1);
  TableOptions options = predicting("y");
  options.columns["a"].on_bad_cell = "missing";
  EXPECT_EQ(fit(parse_csv(text, "t.csv"), options).num_features(), 1);
}

TEST(TablePreprocessor, OptionsComeFromJson) {
  TableOptions options;
  read_options(Json::parse(R"({"target": "y", "columns": {"age": {"type": "number", "impute": {"method": "mean"},
                               "outliers": {"method": "iqr", "action": "missing"}, "scale": "minmax"}}})"),
               options);
  EXPECT_EQ(options.columns.at("age").outliers.action, "missing");
  EXPECT_EQ(type_overrides(options).at("age"), ColumnType::number);
  expect_error<ConfigError>(
      [&] { read_options(Json::parse(R"({"columns": {"age": {"scal": "log"}}})"), options, {}, "data"); },
      {"data.columns.age.scal", "did you mean \"scale\""});
}

}  // namespace
}  // namespace danlu::data
