// What a model is made into, as `danlu compress --to` takes it.
//
//   int8          weights and activations of 8 bits
//   sparse=0.9    nine of ten weights are zero, wherever they are smallest
//   2:4           of every four weights in a row two are zero
//   channels=0.5  half of the units of each hidden layer, or of its channels, are taken away
//   q8, q4        weights of a language model in groups of 8 or 4 bits
#pragma once

#include <cstdint>
#include <string>

namespace danlu::compress {

struct Target {
  enum class Kind : uint8_t { int8, sparse, n_of_m, channels, q8, q4 };
  Kind kind = Kind::int8;
  double share = 0;        // that is taken away, of weights or of channels
  int64_t n = 0, m = 0;    // n_of_m: n of every m are kept
  bool is_groups() const { return kind == Kind::q8 || kind == Kind::q4; }
  std::string name() const;  // for a file: "int8", "sparse-0.9", "2-4", "channels-0.5", "q4"
};

// Throws ConfigError, which begins with `key`, where the text stands, for what is none of these.
Target parse_target(const std::string& text, const std::string& key = "--to");

}  // namespace danlu::compress
