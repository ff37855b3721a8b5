// Trains byte-level BPE as often as told on standard input: one line "THREADS" in, one line of seconds out. The texts are
// those of a file, divided by NUL bytes, and read before. With a third argument the merges are written there, a pair of ids
// a line.
//
//   bench_train_bpe FILE VOCAB_SIZE [MERGES]      (see bench/peers/train_bpe.py)
#include <chrono>
#include <iostream>
#include <string>
#include <string_view>

#include "danlu/base/files.h"
#include "danlu/base/threads.h"
#include "danlu/data/text/bpe_trainer.h"

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: bench_train_bpe FILE VOCAB_SIZE [MERGES]\n";
    return 2;
  }
  const std::string text = danlu::read_file(argv[1]);
  int threads = 1;
  while (std::cin >> threads) {
    danlu::set_num_threads(threads);
    const auto start = std::chrono::steady_clock::now();
    danlu::data::BpeTrainer trainer({.vocab_size = std::stoll(argv[2]), .min_frequency = 2, .special_tokens = {}});
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\0', begin), text.size());
      trainer.add(std::string_view(text).substr(begin, end - begin));
      begin = end + 1;
    }
    const danlu::data::TokenizerModel model = trainer.train();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (argc > 3) {
      std::string lines;
      for (const auto& merge : model.merges) {
        lines += std::to_string(merge.left) + " " + std::to_string(merge.right) + "\n";
      }
      danlu::write_file_atomic(argv[3], lines);
    }
    std::cout << seconds.count() << std::endl;
  }
}
