// What is to be learnt from a data set.
#pragma once

#include <cstdint>

namespace danlu::data {

enum class TaskKind : uint8_t {
  binary,      // one of two classes: labels i64 0 or 1, one output (the logit of class 1)
  multiclass,  // one of C > 2 classes: labels i64, C outputs (logits)
  regression,  // a number: targets f32, one output
  clustering   // no target: which of C groups that training found, C outputs (distances from their centres)
};

constexpr const char* name_of(TaskKind task) {
  switch (task) {
    case TaskKind::binary: return "binary";
    case TaskKind::multiclass: return "multiclass";
    case TaskKind::regression: return "regression";
    case TaskKind::clustering: return "clustering";
  }
  return "?";
}

// Columns of a model's output for a task with that many classes.
constexpr int64_t task_outputs(TaskKind task, int64_t classes) { return task == TaskKind::binary || task == TaskKind::regression ? 1 : classes; }

}  // namespace danlu::data
