// What is to be learnt from a data set.
#pragma once

#include <cstdint>

namespace danlu::data {

enum class TaskKind : uint8_t {
  binary,      // one of two classes: labels i64 0 or 1, one output (the logit of class 1)
  multiclass,  // one of C > 2 classes: labels i64, C outputs (logits)
  multilabel,  // any of C > 1 labels: targets f32 (N, C) of 0 and 1, C outputs (the logit of each)
  regression,  // a number: targets f32, one output
  clustering   // no target: which of C groups that training found, C outputs (distances from their centres)
};

constexpr const char* name_of(TaskKind task) {
  switch (task) {
    case TaskKind::binary: return "binary";
    case TaskKind::multiclass: return "multiclass";
    case TaskKind::multilabel: return "multilabel";
    case TaskKind::regression: return "regression";
    case TaskKind::clustering: return "clustering";
  }
  return "?";
}

// Is it one of several classes that each sample has?
constexpr bool has_classes(TaskKind task) { return task == TaskKind::binary || task == TaskKind::multiclass; }

// Columns of a model's output for a task with that many classes.
constexpr int64_t task_outputs(TaskKind task, int64_t classes) { return task == TaskKind::binary || task == TaskKind::regression ? 1 : classes; }

}  // namespace danlu::data
