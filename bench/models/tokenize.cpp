// Encodes a text file as often as told on standard input: an empty line in, a line of seconds out. The first line out
// is the time of loading. Seconds are those of the processor: all runs on one thread. With a third argument the ids are
// written there as 32-bit integers.
//
//   bench_tokenize TOKENIZER FILE [IDS]      (see bench/peers/encode_text.py)
#include <ctime>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/data/text/tokenizer.h"

namespace {

double seconds_since(std::clock_t start) { return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC; }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: bench_tokenize TOKENIZER FILE [IDS]\n";
    return 2;
  }
  const std::clock_t start = std::clock();
  const danlu::data::Tokenizer tokenizer = danlu::data::Tokenizer::load(argv[1]);
  std::cout << seconds_since(start) << std::endl;
  const std::string text = danlu::read_file(argv[2]);
  std::vector<danlu::data::TokenId> ids;
  for (std::string line; std::getline(std::cin, line);) {
    ids.clear();
    const std::clock_t begin = std::clock();
    tokenizer.encode(text, ids);
    std::cout << seconds_since(begin) << std::endl;
  }
  if (argc > 3) {
    danlu::write_file_atomic(argv[3], {reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof ids[0]});
  }
  return tokenizer.decode(ids) == text ? 0 : 1;
}
