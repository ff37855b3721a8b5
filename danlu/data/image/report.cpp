#include "danlu/data/image/report.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <unordered_map>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::data {
namespace {

constexpr size_t kMaxExamples = 10;
constexpr size_t kMaxLines = 20;  // of any list in the text

// True if every pixel equals the first.
bool is_blank(const uint8_t* pixels, size_t bytes, size_t channels) {
  return bytes <= channels || std::memcmp(pixels, pixels + channels, bytes - channels) == 0;
}

void find_duplicates(const LabeledImages& images, std::span<const Hash128> hashes, ImageReport& report) {
  const auto name = [&](size_t i) { return images.files.empty() ? fmt::format("#{}", i) : images.files[i]; };
  std::unordered_map<Hash128, size_t> first;
  for (size_t i = 0; i < hashes.size(); ++i) {
    const auto [found, is_new] = first.emplace(hashes[i], i);
    if (is_new) continue;
    const bool same_label = images.labels[found->second] == images.labels[i];
    ++report.duplicates;
    if (!same_label) ++report.conflicting;
    if (report.duplicate_examples.size() < kMaxExamples)
      report.duplicate_examples.push_back({name(found->second), name(i), same_label});
  }
}

}  // namespace

ImageReport image_report(const LabeledImages& images, std::span<const Hash128> hashes, const Split& split) {
  if (static_cast<int64_t>(hashes.size()) != images.size()) {
    throw ShapeError("data.image_report",
                     fmt::format("got {} hashes for {} images; expected one each", hashes.size(), images.size()));
  }
  ImageReport report;
  report.images = images.size();
  report.original_sizes = images.original_sizes;
  report.unreadable = images.unreadable;
  for (const std::string& name : images.class_names) report.classes.push_back({.name = name});
  const auto count = [&](const std::vector<int64_t>& part, int64_t ClassCount::*member) {
    for (const int64_t i : part)
      ++(report.classes.at(static_cast<size_t>(images.labels.at(static_cast<size_t>(i)))).*member);
  };
  count(split.train, &ClassCount::train);
  count(split.validation, &ClassCount::validation);
  count(split.test, &ClassCount::test);
  if (report.images > 0) {
    const Shape& shape = images.pixels.shape();
    report.size = fmt::format("{}x{}x{}", shape[1], shape[2], shape[3]);
    const auto bytes = static_cast<size_t>(shape.inner(0));
    for (int64_t i = 0; i < report.images; ++i) {
      const uint8_t* pixels = images.pixels.data<uint8_t>() + static_cast<size_t>(i) * bytes;
      report.blank += is_blank(pixels, bytes, static_cast<size_t>(shape[3]));
    }
  }
  find_duplicates(images, hashes, report);
  report.dropped =
      report.images - static_cast<int64_t>(split.train.size() + split.validation.size() + split.test.size());
  report.leaks = check_leaks(hashes, split);
  return report;
}

Json ImageReport::to_json() const {
  Json by_class = Json::object();
  for (const ClassCount& c : classes)
    by_class[c.name] = {{"train", c.train}, {"validation", c.validation}, {"test", c.test}};
  Json sizes = Json::object();
  for (const auto& [name, number] : original_sizes) sizes[name] = number;
  Json bad = Json::array();
  for (const UnreadableFile& file : unreadable) bad.push_back({{"file", file.file}, {"reason", file.reason}});
  Json examples = Json::array();
  for (const DuplicateImage& d : duplicate_examples) {
    examples.push_back({{"first", d.first}, {"second", d.second}, {"same_label", d.same_label}});
  }
  return {
      {"images", images},
      {"size", size},
      {"classes", std::move(by_class)},
      {"original_sizes", std::move(sizes)},
      {"unreadable", std::move(bad)},
      {"blank", blank},
      {"duplicates", {{"count", duplicates}, {"conflicting_labels", conflicting}, {"examples", std::move(examples)}}},
      {"dropped", dropped},
      {"leaks", leaks.to_json()}};
}

std::string ImageReport::text() const {
  std::string page = fmt::format("{} images of {} in {} classes\n\n", images, size, classes.size());
  size_t width = 5;
  for (const ClassCount& c : classes) width = std::max(width, c.name.size());
  const auto line = [&](const std::string& name, auto train, auto validation, auto test) {
    page += fmt::format("  {:<{}}  {:>8}  {:>10}  {:>8}\n", name, width, train, validation, test);
  };
  line("class", "train", "validation", "test");
  ClassCount total{.name = "total"};
  for (size_t i = 0; i < classes.size(); ++i) {
    const ClassCount& c = classes[i];
    if (i < kMaxLines) line(c.name, c.train, c.validation, c.test);
    total.train += c.train, total.validation += c.validation, total.test += c.test;
  }
  if (classes.size() > kMaxLines) page += fmt::format("  ... and {} more classes\n", classes.size() - kMaxLines);
  line(total.name, total.train, total.validation, total.test);
  page += "\n";

  if (original_sizes.size() > 1)
    page += fmt::format("sizes      {} different ones in the files, resized to {}\n", original_sizes.size(), size);
  page += fmt::format("duplicates {} images equal an earlier one, {} of them with another label\n", duplicates,
                      conflicting);
  for (const DuplicateImage& d : duplicate_examples) {
    page += fmt::format("           {} = {}{}\n", d.second, d.first, d.same_label ? "" : "  (another label)");
  }
  if (dropped > 0)
    page += fmt::format("dropped    {} images whose content the given test or validation set has too\n", dropped);
  page += fmt::format("leaks      {} train-test, {} train-validation, {} validation-test\n", leaks.train_test,
                      leaks.train_validation, leaks.validation_test);
  if (blank > 0) page += fmt::format("blank      {} images are of one colour\n", blank);
  if (!unreadable.empty()) page += fmt::format("unreadable {} files were left out\n", unreadable.size());
  for (size_t i = 0; i < std::min(kMaxLines, unreadable.size()); ++i)
    page += fmt::format("           {}\n", unreadable[i].reason);
  return page;
}

}  // namespace danlu::data
