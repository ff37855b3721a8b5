#include "danlu/app/recipe/predict_files.h"

#include <algorithm>
#include <cctype>

#include "danlu/app/recipe/batches.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/image/decode.h"
#include "danlu/data/table/read_table.h"

namespace danlu::app {
namespace {

// The text of the answers, as it grows.
class Answers {
 public:
  Answers(AnswerForm form, const char* subject, const infer::Predictor& predictor) : form_(form), subject_(subject), task_(predictor.task()), classes_(predictor.class_names()) {
    if (form_ == AnswerForm::jsonl) return;
    const bool clusters = task_ == data::TaskKind::clustering;
    text_ = fmt::format("{},{}", subject_, classes_.empty() ? "value" : clusters ? "cluster" : task_ == data::TaskKind::multilabel ? "labels" : "label");
    if (task_ == data::TaskKind::multitask) {
      text_ = subject_;
      for (const data::Head& head : predictor.heads()) text_ += "," + data::csv_cell(head.name);
    }
    for (const std::string& name : classes_) text_ += "," + data::csv_cell((clusters ? "distance_" : "p_") + name);
    text_ += "\n";
  }

  void add(const Json& subject, const infer::Prediction& p) {
    if (form_ == AnswerForm::jsonl) {
      Json line = {{subject_, subject}};
      line.update(infer::to_json(p, classes_));
      text_ += to_line(line) + "\n";
      return;
    }
    text_ += data::csv_cell(subject.is_string() ? subject.get<std::string>() : to_line(subject)) + ",";
    if (task_ == data::TaskKind::multitask) return add_targets(p.targets);
    if (task_ == data::TaskKind::multilabel) text_ += data::csv_cell(fmt::format("{}", fmt::join(p.labels, "|")));
    else text_ += classes_.empty() ? fmt::format("{}", p.value) : data::csv_cell(p.label);
    for (const double number : p.distances.empty() ? p.probabilities : p.distances) text_ += fmt::format(",{}", number);
    text_ += "\n";
  }

  std::string take() { return std::move(text_); }

 private:
  // Of each its label or value; the lines of JSON have probabilities too.
  void add_targets(const Json& targets) {
    std::string separator;
    for (const auto& [name, said] : targets.items()) {
      text_ += separator + (said.contains("value") ? to_line(said["value"]) : data::csv_cell(said["label"].get<std::string>()));
      separator = ",";
    }
    text_ += "\n";
  }

  AnswerForm form_;
  const char* subject_;
  data::TaskKind task_;
  const std::vector<std::string>& classes_;
  std::string text_;
};

void predict_table(infer::Predictor& predictor, const fs::path& file, const data::CsvOptions& csv, Answers& answers) {
  const data::Table table = data::read_table(file, csv);
  const std::vector<int64_t> rows = data::all_rows(table);
  const Tensor outputs =
      predict_in_batches(predictor, std::span(rows), [&](auto piece) { return predictor.encode(table.select(piece)); });
  int64_t row = 0;
  for (const infer::Prediction& p : predictor.decode(outputs)) answers.add(table.line(row++), p);
}

bool is_image_name(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

}  // namespace

std::vector<fs::path> image_files(const std::vector<fs::path>& inputs) {
  std::vector<fs::path> files;
  for (const fs::path& input : inputs) {
    if (!fs::is_directory(input)) {
      files.push_back(input);
      continue;
    }
    const size_t before = files.size();
    for (const fs::path& file : list_files(input, true)) {
      if (is_image_name(file)) files.push_back(file);
    }
    if (files.size() == before)
      throw DataError("app.predict", fmt::format("{}: got no .png or .jpg file in it", input.string()));
  }
  return files;
}

namespace {

void predict_images(infer::Predictor& predictor, const std::vector<fs::path>& files, Answers& answers) {
  const Tensor outputs = predict_in_batches(predictor, std::span(files), [&](auto piece) {
    std::vector<data::Image> images;
    for (const fs::path& file : piece) images.push_back(data::read_image(file));
    return predictor.encode(images);
  });
  size_t file = 0;
  for (const infer::Prediction& p : predictor.decode(outputs)) answers.add(files[file++].string(), p);
}

}  // namespace

std::string predict_files(infer::Predictor& predictor, const std::vector<fs::path>& inputs, AnswerForm form,
                          const data::CsvOptions& csv) {
  const bool tables = predictor.input_kind() != infer::InputKind::image;
  Answers answers(form, tables ? "line" : "file", predictor);
  if (tables) {
    for (const fs::path& input : inputs) predict_table(predictor, input, csv, answers);
  } else {
    predict_images(predictor, image_files(inputs), answers);
  }
  return answers.take();
}

}  // namespace danlu::app
