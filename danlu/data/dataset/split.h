// Dividing samples into train, validation and test, so that what is measured was never trained on.
//
// Samples of equal content (equal hashes) form one group, and a group is never divided: a copy of a training sample in
// the test split would be remembered, not predicted. Give the hash of a patient or a user instead to keep their samples
// together.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "danlu/base/hash.h"
#include "danlu/base/json.h"
#include "danlu/base/options.h"

namespace danlu::data {

enum class Part : uint8_t { any, train, validation, test };

const char* part_name(Part part);

struct SplitOptions {
  std::string method = "stratified";  // | random | ordered
  double validation = 0.1;
  double test = 0.2;
  int64_t seed = 0;
  std::string on_overlap = "drop";  // | keep
  std::string column = {};          // of a table, whose values are the parts: train, validation, test

  void describe(OptionVisitor& v);
};

// Indexes of samples, each part in ascending order.
struct Split {
  std::vector<int64_t> train = {}, validation = {}, test = {};

  const std::vector<int64_t>& part(Part part) const;  // Part::train, validation or test
};

// What is known of the samples. An empty span means: not known.
struct SplitInput {
  int64_t size = 0;
  std::span<const int64_t> labels = {};  // the classes to stratify by
  std::span<const Hash128> hashes = {};  // the groups to keep whole
  std::span<const Part> given =
      {};  // parts that the source of the data has fixed (a test file of its own, for example)
};

// stratified  every class has the same share of each part, to within one sample. Groups of equal content move whole and
//             may add to that; one of several labels counts for its first. Without labels: as random.
// random      the shares hold over all samples.
// ordered     no shuffling: the first samples train, the last test. For rows in order of time.
//
// A part that `given` fixes is taken as it is, and only the samples marked train or any are divided into the parts that
// are not fixed; fractions are of those samples. Content that `given` puts in two parts is removed from the less
// precious one (train before validation before test) if on_overlap is drop.
// The result depends on the input and the options alone.
// Throws ConfigError if the fractions leave no training sample or a part that was asked for stays empty; ShapeError if
// the spans differ in length.
Split split(const SplitInput& input, const SplitOptions& options);

// Content that is in two parts.
struct Leak {
  Part a = Part::train, b = Part::test;
  int64_t index_a = 0, index_b = 0;  // samples of equal content
};

struct LeakReport {
  int64_t train_validation = 0;  // samples of train whose content is in validation too
  int64_t train_test = 0;
  int64_t validation_test = 0;
  std::vector<Leak> examples;  // the first few

  bool empty() const { return train_validation + train_test + validation_test == 0; }
  Json to_json() const;
};

LeakReport check_leaks(std::span<const Hash128> hashes, const Split& split, int64_t max_examples = 10);

}  // namespace danlu::data
