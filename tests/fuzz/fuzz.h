// Programs that feed a reader damaged input until a time is up: fuzz_NAME SECONDS [SEED]
//
//   int main(int argc, char** argv) {
//     return danlu::test::fuzz(argc, argv, {"{% if x %}y{% endif %}"}, [](const std::string& input) { ... });
//   }
//
// The target may throw danlu::Error, which is an answer. Anything else that ends it, or a sanitizer's report, is a
// find; the input is then in fuzz_NAME.input, and `fuzz_NAME FILE` runs it again. The same seed makes the same inputs.
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/rng.h"

namespace danlu::test {

class Mutator {
 public:
  Mutator(std::vector<std::string> samples, uint64_t seed) : samples_(std::move(samples)), rng_(seed) {}

  // One of the samples with a few changes.
  std::string next() {
    std::string input = pick(samples_);
    for (int64_t changes = 1 + rng_.below(6); changes > 0; --changes) change(input);
    return input;
  }

 private:
  const std::string& pick(const std::vector<std::string>& from) { return from[index(from.size())]; }
  size_t index(size_t size) { return static_cast<size_t>(rng_.below(static_cast<int64_t>(size))); }
  // A piece of a sample: the words of the format come from there.
  std::string piece() {
    const std::string& sample = pick(samples_);
    if (sample.empty()) return "";
    const size_t begin = index(sample.size());
    return sample.substr(begin, 1 + index(24));
  }

  void change(std::string& input) {
    const size_t at = index(input.size() + 1);
    switch (rng_.below(8)) {
      case 0:
        input.insert(at, piece());
        break;
      case 1:
        input.erase(at, 1 + index(24));
        break;
      case 2:
        input.replace(at, 1 + index(8), piece());
        break;
      case 3:
        if (at < input.size()) input[at] = static_cast<char>(rng_.next_u32());
        break;
      case 4:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << rng_.below(8)));
        break;
      case 5:  // the same again, often: depth and length
        input.insert(at, repeat(input.substr(at, 1 + index(12)), 1 + index(40)));
        break;
      case 6: {
        static const std::vector<std::string> kNumbers = {"0",
                                                          "-1",
                                                          "4294967296",
                                                          "9223372036854775807",
                                                          "-9223372036854775808",
                                                          "18446744073709551616",
                                                          "1e308",
                                                          "0.1",
                                                          "1e-320",
                                                          "NaN"};
        input.insert(at, pick(kNumbers));
        break;
      }
      default:
        input.resize(at);
    }
    if (input.size() > kMaxInput) input.resize(kMaxInput);
  }

  static std::string repeat(const std::string& text, size_t times) {
    std::string result;
    while (times-- > 0) result += text;
    return result;
  }

  static constexpr size_t kMaxInput = 1 << 16;
  const std::vector<std::string> samples_;
  Rng rng_;
};

inline void run_one(const std::function<void(const std::string&)>& target, const std::string& input) {
  try {
    target(input);
  } catch (const Error&) {
  }
}

inline int fuzz(int argc, char** argv, std::vector<std::string> samples,
                const std::function<void(const std::string&)>& target) {
  const std::string name = std::filesystem::path(argv[0]).filename().string();
  if (argc > 1 && std::filesystem::is_regular_file(argv[1])) {
    std::ifstream file(argv[1], std::ios::binary);
    run_one(target, {std::istreambuf_iterator<char>(file), {}});
    return 0;
  }
  const double seconds = argc > 1 ? std::atof(argv[1]) : 10;
  for (const std::string& sample : samples) run_one(target, sample);
  Mutator mutator(std::move(samples), argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  int64_t inputs = 0;
  double slowest = 0;
  while (elapsed() < seconds) {
    const std::string input = mutator.next();
    std::ofstream(name + ".input", std::ios::binary) << input;
    const double before = elapsed();
    run_one(target, input);
    ++inputs;
    slowest = std::max(slowest, elapsed() - before);
  }
  std::filesystem::remove(name + ".input");
  std::printf("%s: %lld inputs, the slowest took %.3f s\n", name.c_str(), static_cast<long long>(inputs), slowest);
  return 0;
}

}  // namespace danlu::test
