// The checkpoints of a training, in a directory of their own:
//
//   best.safetensors       the weights with the best monitored value
//   last.safetensors       the newest state: weights, moments, and all else that training goes on from
//   previous.safetensors   the one before it, for the case that the newest is damaged
//
// Each is written under a temporary name, synced and renamed, and has a checksum. Whenever the machine stops, a whole `last` or
// `previous` is there once the first had been saved.
#pragma once

#include <optional>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/base/json.h"
#include "danlu/learn/nn/module.h"
#include "danlu/learn/optim/optimizer.h"

namespace danlu::train {

class CheckpointStore {
 public:
  // An empty path stands for a store that keeps nothing.
  explicit CheckpointStore(fs::path directory) : directory_(std::move(directory)) {}

  bool keeps() const { return !directory_.empty(); }
  fs::path best() const { return directory_ / "best.safetensors"; }
  fs::path last() const { return directory_ / "last.safetensors"; }
  fs::path previous() const { return directory_ / "previous.safetensors"; }

  // What to evaluate: the best, or the newest where training was stopped before its first validation. May not exist.
  fs::path best_or_last() const { return fs::exists(best()) ? best() : fs::exists(last()) ? last() : previous(); }
  bool has_state() const { return fs::exists(last()) || fs::exists(previous()); }

  // `extra` are tensors besides those of the model and the optimiser. Throw FileError if the disk fails; what was there stays.
  void save_best(const nn::Module& model, const Json& state) const;
  void save_last(const nn::Module& model, optim::Optimizer& optimizer, const std::vector<nn::NamedTensor>& extra, const Json& state) const;

  // Loads the newest whole state and returns what was saved with it; where the newest is damaged, warns and takes the previous one.
  // Absent if none was ever saved. Throws DataError if there are some and none is whole, or if they are of another model.
  std::optional<Json> load_last(nn::Module& model, optim::Optimizer& optimizer, const std::vector<nn::NamedTensor>& extra) const;
  // False, with a warning, if there is no whole one.
  bool load_best(nn::Module& model) const;

 private:
  fs::path directory_;
};

}  // namespace danlu::train
