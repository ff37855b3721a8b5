#include "danlu/learn/train/checkpoint_store.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/log.h"
#include "danlu/learn/train/checkpoint.h"

namespace danlu::train {
namespace {

constexpr const char* kWhere = "learn.checkpoint";

}  // namespace

void CheckpointStore::save_best(const nn::Module& model, const Json& state) const {
  if (keeps()) save_checkpoint(best(), model, nullptr, state);
}

void CheckpointStore::save_last(const nn::Module& model, optim::Optimizer& optimizer, const std::vector<nn::NamedTensor>& extra,
                                const Json& state) const {
  if (!keeps()) return;
  const fs::path next = directory_ / "next.safetensors";
  save_checkpoint(next, model, &optimizer, state, extra);
  // A kill between the two leaves `previous` and `next`, both whole: load_last() finds the first.
  if (fs::exists(last())) rename_path(last(), previous());
  rename_path(next, last());
}

std::optional<Json> CheckpointStore::load_last(nn::Module& model, optim::Optimizer& optimizer,
                                               const std::vector<nn::NamedTensor>& extra) const {
  std::string trouble;
  for (const fs::path& path : {last(), previous()}) {
    if (!fs::exists(path)) continue;
    try {
      Json state = load_checkpoint(path, model, &optimizer, extra, Checksum::required);
      if (!trouble.empty()) log_warning(kWhere, fmt::format("{}; going on from the one before it, {}", trouble, path.string()));
      return state;
    } catch (const DataError& error) {
      trouble += (trouble.empty() ? "" : "; ") + error.message();
    }
  }
  if (trouble.empty()) return std::nullopt;
  throw DataError(kWhere, fmt::format("no checkpoint in {} is whole: {}; train afresh", directory_.string(), trouble));
}

bool CheckpointStore::load_best(nn::Module& model) const {
  if (!fs::exists(best())) return false;
  try {
    load_checkpoint(best(), model, nullptr, {}, Checksum::required);
    return true;
  } catch (const DataError& error) {
    log_warning(kWhere, fmt::format("{}; the next validation makes a new one", error.message()));
    return false;
  }
}

}  // namespace danlu::train
