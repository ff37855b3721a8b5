#include "danlu/app/recipe/labelled_table.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/unlabelled_dataset.h"
#include "danlu/data/table/preprocessor.h"
#include "danlu/data/table/read_table.h"
#include "danlu/data/table/report.h"
#include "danlu/data/table/values.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.data";

void check_options(const DataSection& options, Labels labels) {
  if (options.table.target_columns().empty() && labels == Labels::given) {
    throw ConfigError(kWhere,
                      fmt::format("data.target is missing; expected the column of {} to predict", options.source));
  }
  if (options.augment.enabled() && options.image.column.empty()) {
    throw ConfigError(kWhere, fmt::format("data.augment is for images; {} is a table", options.source));
  }
}

// The rows with a label, and those without.
std::pair<data::Table, data::Table> read_rows(const DataSection& options, Labels labels) {
  check_options(options, labels);
  data::Table table = data::read_table(options.source, options.csv);
  if (labels == Labels::none) return {std::move(table), {}};
  const std::vector<std::string> targets = options.table.target_columns();
  const auto labelled = data::labelled_rows(table, targets, data::all_rows(table));  // names the nearest column if one is not there
  if (labelled.empty()) {
    throw DataError(kWhere, fmt::format("{}: got no row with a value of \"{}\"; expected some to learn from", options.source, fmt::join(targets, "\", \"")));
  }
  std::vector<int64_t> others;
  const std::vector<int64_t> all = data::all_rows(table);
  std::set_difference(all.begin(), all.end(), labelled.begin(), labelled.end(), std::back_inserter(others));
  return {table.select(labelled), table.select(others)};
}

// The column that divides the rows is none of their content.
DataSection without_split_column(DataSection options) {
  if (!options.split.column.empty()) options.table.columns[options.split.column].drop = true;
  return options;
}

std::vector<data::Part> read_parts(const data::Table& table, const std::string& name) {
  const int64_t column = table.column_index(name);
  std::vector<data::Part> parts;
  for (const int64_t row : data::all_rows(table)) {
    const data::Cell cell = table.cell(row, column);
    const auto is = [&](data::Part part) { return cell == data::part_name(part); };
    if (!is(data::Part::train) && !is(data::Part::validation) && !is(data::Part::test)) {
      throw DataError(kWhere, fmt::format("{}: got \"{}\"; expected train, validation or test: data.split.column names it", table.place(row, column), cell));
    }
    parts.push_back(is(data::Part::train) ? data::Part::train : is(data::Part::test) ? data::Part::test : data::Part::validation);
  }
  return parts;
}

}  // namespace

LabelledTable::LabelledTable(const DataSection& options, Labels labels, int64_t partners) : options_(without_split_column(options)), partners_(partners) {
  std::tie(table_, unlabelled_) = read_rows(options, labels);
  if (partners == 0) unlabelled_ = {};
  else if (unlabelled_.num_rows() == 0) {
    throw DataError(kWhere, fmt::format("{}: got a value of \"{}\" in every row; expected some rows without one, because train.pseudo_labels learns from them", options.source,
                                        fmt::join(options.table.target_columns(), "\", \"")));
  }
  schema_ = data::infer_schema(table_, data::type_overrides(options_.table));
  const std::vector<int64_t> all = data::all_rows(table_);
  std::vector<int64_t> content;
  for (int64_t column = 0; column < table_.num_columns(); ++column) {
    if (table_.column(column).name != options_.split.column) content.push_back(column);
  }
  for (const int64_t row : all) hashes_.push_back(table_.row_hash(row, content));
  if (!options_.split.column.empty()) given_ = read_parts(table_, options_.split.column);
  if (labels == Labels::none) return;
  const data::TargetEncoder target = data::fit_target(table_, all, schema_, options.table);
  if (data::has_classes(target.task())) {
    const Tensor classes = target.labels(table_, all);
    strata_.assign(classes.span<int64_t>().begin(), classes.span<int64_t>().end());
  }
}

Hash128 LabelledTable::content_hash() const {
  const Hash128 labelled = DataSource::content_hash();
  if (partners_ == 0) return labelled;
  std::string text = labelled.hex();
  for (const int64_t row : data::all_rows(unlabelled_)) text += unlabelled_.row_hash(row).hex();
  return hash_text(text);
}

Tensor LabelledTable::with_unlabelled(const Tensor& labels) const {
  Tensor all = Tensor::zeros(labels.shape().with(0, labels.size(0) + unlabelled_.num_rows()), labels.dtype());
  all.rows(0, labels.size(0)).copy_from(labels);
  if (labels.dtype() == Dtype::i64) std::fill_n(all.mutable_data<int64_t>() + labels.numel(), unlabelled_.num_rows(), data::kUnlabelled);
  return all;  // of what is no class nobody guesses: checks.h refuses pseudo-labels for it
}

std::unique_ptr<data::Dataset> LabelledTable::with_partners(std::unique_ptr<data::Dataset> all) const {
  if (partners_ == 0) return all;
  return std::make_unique<data::UnlabelledDataset>(std::move(all), table_.num_rows(), partners_);
}

QualityReport LabelledTable::report(const data::Split&) const {
  const std::string target = options_.table.is_multilabel() ? "" : options_.table.target;
  const data::TableReport report = data::report_table(table_, schema_, target, options_.report);
  Json json = data::to_json(report);
  if (target.empty()) json["conflicts"] = nullptr;  // counted where there is one column to contradict itself
  return {std::move(json), data::to_text(report), report.passed()};
}

std::vector<int64_t> LabelledTable::labels(std::span<const int64_t> samples, const Json& preprocess, const std::string& target) const {
  const data::TargetEncoder encoder = target_of(preprocess);
  const auto& all = encoder.targets();
  const auto named = std::find_if(all.begin(), all.end(), [&](const data::TargetEncoder& one) { return one.name() == target; });
  const Tensor labels = (named == all.end() ? encoder : *named).labels(table_, samples);
  if (labels.dtype() == Dtype::i64) return {labels.span<int64_t>().begin(), labels.span<int64_t>().end()};
  return {labels.span().begin(), labels.span().end()};
}

std::vector<data::Head> LabelledTable::heads_of(const data::TargetEncoder& target) const {
  std::vector<data::Head> heads;
  for (const data::TargetEncoder& one : target.targets()) heads.push_back({one.name(), one.task(), one.class_names(), options_.table.targets.at(one.name()).weight});
  return heads;
}

std::vector<double> LabelledTable::targets(std::span<const int64_t> samples, const std::string& target) const {
  const int64_t column = table_.column_index(target.empty() ? options_.table.target : target);
  return data::column_numbers(table_, column, samples, data::ColumnType::number, data::BadCell::error);
}

std::vector<std::string> LabelledTable::values_of(const std::string& column, std::span<const int64_t> samples) const {
  const int64_t c = table_.column_index(column);
  std::vector<std::string> values;
  for (const int64_t sample : samples) {
    const data::Cell cell = table_.cell(sample, c);
    values.push_back(data::is_missing(cell) ? "(missing)" : std::string(cell));
  }
  return values;
}

Json LabelledTable::example(const infer::Predictor& predictor, int64_t sample) const {
  Json row = Json::object();
  for (const std::string& name : predictor.input_columns()) {
    const data::Cell cell = table_.cell(sample, table_.column_index(name));
    const bool number = schema_.column(name).type == data::ColumnType::number && data::parse_number(cell);
    row[name] = data::is_missing(cell) ? Json(nullptr)
                : number               ? Json(*data::parse_number(cell))
                                       : Json(std::string(cell));
  }
  return {{"rows", Json::array({row})}};
}

std::vector<std::string> LabelledTable::names_of(const std::vector<std::string>& classes) const {
  const std::vector<std::string>& names = options_.class_names;
  if (names.empty()) return classes;
  if (names.size() != classes.size()) {
    throw ConfigError(kWhere, fmt::format("data.class_names: got {} names; expected {}, one for each of {}",
                                          names.size(), classes.size(), fmt::join(classes, ", ")));
  }
  return names;
}

}  // namespace danlu::app
