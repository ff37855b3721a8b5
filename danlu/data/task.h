// What is to be learnt from a data set.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace danlu::data {

enum class TaskKind : uint8_t {
  binary,      // one of two classes: labels i64 0 or 1, one output (the logit of class 1)
  multiclass,  // one of C > 2 classes: labels i64, C outputs (logits)
  multilabel,  // any of C > 1 labels: targets f32 (N, C) of 0 and 1, C outputs (the logit of each)
  regression,  // a number: targets f32, one output
  multitask,   // several targets of their own kinds: targets f32 (N, heads), the outputs of all heads side by side
  clustering,  // no target: which of C groups that training found, C outputs (distances from their centres)
  generation   // new samples, of C classes that are asked for, or of none: labels i64 where there are classes
};

constexpr const char* name_of(TaskKind task) {
  switch (task) {
    case TaskKind::binary: return "binary";
    case TaskKind::multiclass: return "multiclass";
    case TaskKind::multilabel: return "multilabel";
    case TaskKind::regression: return "regression";
    case TaskKind::multitask: return "multitask";
    case TaskKind::clustering: return "clustering";
    case TaskKind::generation: return "generation";
  }
  return "?";
}

// Is it one of several classes that each sample has?
constexpr bool has_classes(TaskKind task) { return task == TaskKind::binary || task == TaskKind::multiclass; }

// Columns of a model's output for a task with that many classes.
constexpr int64_t task_outputs(TaskKind task, int64_t classes) { return task == TaskKind::binary || task == TaskKind::regression ? 1 : classes; }

// One of several targets that are told from one input: a class or a number.
struct Head {
  std::string name;
  TaskKind task = TaskKind::binary;       // binary, multiclass or regression
  std::vector<std::string> class_names = {};  // empty for regression
  double weight = 1;                      // of its loss in training

  int64_t outputs() const { return task_outputs(task, static_cast<int64_t>(class_names.size())); }
};

// Columns of a model's output for all heads.
inline int64_t outputs_of(const std::vector<Head>& heads) {
  int64_t outputs = 0;
  for (const Head& head : heads) outputs += head.outputs();
  return outputs;
}

}  // namespace danlu::data
