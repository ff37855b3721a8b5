// Why a model answers as it does: what each part of an input adds to the answer.
//
//   const auto run = [&](const Tensor& x) { return predictor.run(x); };
//   for (const Explanation& e : explain(predictor, table, run)) print(reasons(e));      // "credit_history = critical: +0.121"
//
// The answer that is shared out is the probability of the class that is predicted (of the most probable one, where the model abstains), or the
// number. The parts are
//
//   of a row     its columns;   a part that is away has the values of background.json: those of training rows, shuffled
//   of a text    its words;     a part that is away is left out; a long text is taken in runs of words
//   of an image  7 x 7 patches; a part that is away has the mean colour of the training images
//
// and their contributions are Shapley values (eval/shapley.h): they add up to `answer` less `baseline`, which is the mean answer where
// all parts are away. Orders are drawn with a fixed seed: the same question has the same reasons.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "danlu/infer/predictor.h"

namespace danlu::infer {

struct Explanation {
  struct Part {
    std::string name;           // of the column; empty for a text and an image
    std::string value;          // the cell as it was given, or the words
    bool missing = false;       // a cell without a value
    double contribution = 0;
    double error = 0;           // its standard error, from the drawing of orders and backgrounds
  };
  InputKind input = InputKind::table;
  std::string label;            // the class whose probability it is; empty for a number
  double answer = 0, baseline = 0;
  std::vector<Part> parts;      // in the order of the columns, of the text; of an image row by row
  int64_t rows = 0, columns = 0;  // of patches
  int64_t cut_off = 0;          // bytes at the end of a text that the model does not read

  // answer - baseline - the sum of the contributions: rounding, and nothing else.
  double gap() const;
};

// Runs the model on any number of samples: Predictor::run, or a server's queue before it.
using Run = std::function<Tensor(const Tensor&)>;

// One for each row. Throws as Predictor::encode and read_background do; FileError for a bundle of a table without background.json.
std::vector<Explanation> explain(const Predictor& predictor, const data::Table& table, const Run& run);
std::vector<Explanation> explain(const Predictor& predictor, std::span<const data::Image> images, const Run& run);

// The parts that count most, most first, in words: "age = 71: +0.203", "\"terrible\": -0.31"; none for an image.
std::vector<std::string> reasons(const Explanation& explanation, size_t most = 5);

// {"class", "answer", "baseline", "reasons": [...], "contributions": [{"column", "value", "contribution", "error"}]}; texts have "text" in
// the place of column and value, images "patches": rows of numbers.
Json to_json(const Explanation& explanation);

}  // namespace danlu::infer
