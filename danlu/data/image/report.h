// What is in a set of images, and what is wrong with it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/data/dataset/split.h"
#include "danlu/data/image/labeled_images.h"

namespace danlu::data {

struct ClassCount {
  std::string name;
  int64_t train = 0, validation = 0, test = 0;
};

// Two images of equal pixels.
struct DuplicateImage {
  std::string first, second;  // file, or "#index" where there are no files
  bool same_label = true;
};

struct ImageReport {
  int64_t images = 0;
  std::string size;  // "28x28x1": height, width, channels of every image as read
  std::vector<ClassCount> classes;
  std::map<std::string, int64_t> original_sizes;  // as in the files -> count
  std::vector<UnreadableFile> unreadable;         // left out by the reader
  int64_t blank = 0;                              // images of one colour all over
  int64_t duplicates = 0;                         // images equal to an earlier one
  int64_t conflicting = 0;                        // of these, with another label than the first of their kind
  std::vector<DuplicateImage> duplicate_examples;
  int64_t dropped = 0;  // in no part: content that the given test or validation set has too
  LeakReport leaks;     // content that is in two parts

  Json to_json() const;
  std::string text() const;  // a page for a terminal
};

// `hashes` from hash_images. Throws ShapeError if their number is not that of the images.
ImageReport image_report(const LabeledImages& images, std::span<const Hash128> hashes, const Split& split);

}  // namespace danlu::data
