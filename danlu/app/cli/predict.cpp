#include <CLI/CLI.hpp>
#include <iostream>

#include "danlu/app/cli/verbs.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/image/decode.h"
#include "danlu/data/table/read_table.h"
#include "danlu/infer/predictor.h"

namespace danlu::app {
namespace {

constexpr int64_t kBatch = 256;

// A cell of a CSV file, in quotes where it needs them.
std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

// The answers as CSV or JSON lines, in one text: written whole or not at all.
class Output {
 public:
  Output(bool csv, std::string subject, const std::vector<std::string>& classes) : csv_(csv), subject_(std::move(subject)), classes_(classes) {
    if (!csv_) return;
    text_ = subject_ + (classes.empty() ? ",value" : ",label");
    for (const std::string& name : classes) text_ += "," + csv_cell("p_" + name);
    text_ += "\n";
  }
  void add(const std::string& id, const infer::Prediction& p) {
    if (!csv_) {
      Json line = {{subject_, id}};
      line.update(infer::to_json(p, classes_));
      text_ += to_line(line) + "\n";
      return;
    }
    text_ += csv_cell(id) + "," + (classes_.empty() ? fmt::format("{}", p.value) : csv_cell(p.label));
    for (const double probability : p.probabilities) text_ += fmt::format(",{}", probability);
    text_ += "\n";
  }
  const std::string& text() const { return text_; }

 private:
  bool csv_;
  std::string subject_;
  const std::vector<std::string>& classes_;
  std::string text_;
};

void predict_table(infer::Predictor& predictor, const fs::path& file, const data::CsvOptions& csv, Output& output) {
  const data::Table table = data::read_table(file, csv);
  const std::vector<int64_t> rows = data::all_rows(table);
  for (int64_t begin = 0; begin < table.num_rows(); begin += kBatch) {
    const auto piece = std::span(rows).subspan(static_cast<size_t>(begin), static_cast<size_t>(std::min(kBatch, table.num_rows() - begin)));
    int64_t row = begin;
    for (const infer::Prediction& p : predictor.decode(predictor.run(predictor.encode(table.select(piece))))) output.add(std::to_string(table.line(row++)), p);
  }
}

void predict_images(infer::Predictor& predictor, const std::vector<fs::path>& files, Output& output) {
  for (size_t begin = 0; begin < files.size(); begin += kBatch) {
    std::vector<data::Image> images;
    const size_t end = std::min(begin + kBatch, files.size());
    for (size_t i = begin; i < end; ++i) images.push_back(data::read_image(files[i]));
    size_t i = begin;
    for (const infer::Prediction& p : predictor.decode(predictor.run(predictor.encode(images)))) output.add(files[i++].string(), p);
  }
}

}  // namespace

Verb add_predict(CLI::App& app) {
  auto common = add_common(app);
  auto run = std::make_shared<std::string>(), out = std::make_shared<std::string>("-");
  auto inputs = std::make_shared<std::vector<std::string>>();
  auto options = std::make_shared<std::vector<std::string>>();
  app.add_option("run", *run, "a run or bundle")->required();
  app.add_option("inputs", *inputs, "a table file, or image files and directories of them")->required();
  app.add_option("-o,--output", *out, "a .csv or .jsonl file; - is standard output, as JSON lines")->capture_default_str();
  app.add_option("--csv", *options, "how to read a CSV file: header=no, delimiter=tab, skip_lines=1 ...");
  return [=] {
    common->apply();
    infer::Predictor predictor(fs::exists(*run) ? fs::path(*run) : fs::path(common->runs) / *run);
    const bool to_stdout = *out == "-";
    const bool csv = !to_stdout && fs::path(*out).extension() == ".csv";
    if (!to_stdout && !csv && fs::path(*out).extension() != ".jsonl") throw ConfigError("app.predict", fmt::format("--output: got {}; expected a name ending in .csv or .jsonl, or -", *out));
    data::CsvOptions csv_options;
    Json json = Json::object();
    for (const std::string& word : *options) {
      const size_t equals = word.find('=');
      if (equals == std::string::npos) throw ConfigError("app.predict", fmt::format("--csv: got \"{}\"; expected key=value", word));
      json[word.substr(0, equals)] = parse_yaml("value: " + word.substr(equals + 1), "--csv").json["value"];
    }
    read_options(json, csv_options);
    const bool table = predictor.input_kind() == infer::InputKind::table;
    Output output(csv, table ? "line" : "file", predictor.class_names());
    if (table) {
      for (const std::string& input : *inputs) predict_table(predictor, input, csv_options, output);
    } else {
      std::vector<fs::path> files;
      for (const std::string& input : *inputs) {
        if (!fs::is_directory(input)) files.emplace_back(input);
        else for (const fs::path& file : list_files(input, true)) files.push_back(file);
      }
      predict_images(predictor, files, output);
    }
    if (to_stdout) std::cout << output.text() << std::flush;
    else write_file_atomic(*out, output.text());
    return kOk;
  };
}

}  // namespace danlu::app
