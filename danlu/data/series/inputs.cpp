#include "danlu/data/series/inputs.h"

#include <algorithm>

#include "danlu/base/format.h"

namespace danlu::data {
namespace {

constexpr const char* name_of_calendar(std::string_view part) { return part == "weekday" ? "weekday" : part == "day" ? "time of day" : "time of year"; }

}  // namespace

std::vector<SeriesInput> series_inputs(const SeriesPreprocess& preprocess) {
  const SeriesOptions& options = preprocess.options();
  const int64_t width = preprocess.channels(), length = preprocess.length();
  std::vector<SeriesInput> inputs;
  // Channels [begin, end) of the rows [first, last).
  const auto add = [&](std::string name, int64_t begin, int64_t end, int64_t first, int64_t last) {
    SeriesInput input{std::move(name), {}};
    for (int64_t row = first; row < last; ++row) {
      for (int64_t channel = begin; channel < end; ++channel) input.cells.push_back(row * width + channel);
    }
    inputs.push_back(std::move(input));
  };
  for (int64_t near = 2, far = 2; near <= length; near = far + 1, far *= 2) {
    far = std::min(far, length);
    add(near == far ? fmt::format("value {} before", near) : fmt::format("values {} to {} before", near, far), 0, 1, length - far, length - near + 1);
  }
  if (options.reference == "season") add("value a season before", 0, 1, length, preprocess.rows());
  int64_t channel = 1;
  for (const int64_t lag : options.lags) add(fmt::format("lag {}", lag), channel, channel + 1, 0, preprocess.rows()), ++channel;
  for (const std::string& column : options.known) add(column, channel, channel + 1, 0, preprocess.rows()), ++channel;
  for (const std::string& part : options.calendar) {
    const int64_t end = channel + SeriesPreprocess::calendar_channels(part);
    add(name_of_calendar(part), channel, end, 0, preprocess.rows());
    channel = end;
  }
  return inputs;
}

}  // namespace danlu::data
