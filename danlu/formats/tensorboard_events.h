// TensorBoard's event files, which `tensorboard --logdir runs` shows.
//
//   EventWriter events(directory, resumed_step);
//   events.scalar("loss/train", step, 0.31);
//   events.histogram("weights/layers.0", step, weights.span());
//
// A file is TFRecords, each the protocol buffer message Event (tensorflow/core/util/event.proto, framework/summary.proto), encoded
// here by hand: a dozen fields of them are needed. Every record is one write, so that a kill loses at most the one under way, and
// readers skip a record that is cut off. A writer begins a new file; what files before it say of `first_step` and later steps
// TensorBoard then forgets, so that a resumed training is shown once.
// Errors: FileError if the disk fails. Threads: one writer a thread.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "danlu/base/files.h"

namespace danlu::formats {

class EventWriter {
 public:
  explicit EventWriter(const fs::path& directory, int64_t first_step = 0);
  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  void scalar(std::string_view tag, int64_t step, double value);
  // Buckets grow by a tenth on either side of zero, as TensorBoard's own. Values that are not finite are left out.
  void histogram(std::string_view tag, int64_t step, std::span<const float> values);
  void text(std::string_view tag, int64_t step, std::string_view markdown);
  void png(std::string_view tag, int64_t step, std::string_view encoded, int64_t height, int64_t width, int channels);

  // What distinguishes this run, for the HPARAMS page. Once a writer.
  using Hyperparameter = std::variant<double, std::string, bool>;
  void hyperparameters(const std::map<std::string, Hyperparameter>& values);

  const fs::path& path() const { return path_; }

 private:
  void event(int64_t step, std::string_view field);
  void summary(int64_t step, std::string_view value);

  fs::path path_;
  int fd_ = -1;
};

}  // namespace danlu::formats
