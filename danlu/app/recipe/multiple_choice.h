// Multiple-choice tasks for a language model: which of several continuations does it find most probable?
//
// A task is a file of JSON lines, {"query": "The sky is", "choices": ["green", "blue"], "gold": 1}, as the local tasks of
// lm-evaluation-harness have them; a choice is put behind its query with a space between.
#pragma once

#include <string>

#include "danlu/base/files.h"
#include "danlu/base/json.h"
#include "danlu/eval/bootstrap.h"
#include "danlu/infer/generator.h"

namespace danlu::app {

struct MultipleChoiceResult {
  std::string task;  // name of the file
  int64_t questions = 0;
  double accuracy = 0;       // by log-probability ("acc" of the harness)
  double accuracy_norm = 0;  // by log-probability a byte of the choice ("acc_norm")
  eval::Interval accuracy_interval, accuracy_norm_interval;
};

// Throws DataError with file:line for a line that is no question, FileError.
MultipleChoiceResult run_multiple_choice(infer::Generator& generator, const fs::path& task);

Json to_json(const MultipleChoiceResult& result);
std::string to_text(const MultipleChoiceResult& result);

}  // namespace danlu::app
