// What stands before training: texts to tokens, tables and images to numbers.
#include <cstdio>
#include <jpeglib.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "bench/danlu/networks.h"
#include "bench/danlu/workload.h"
#include "danlu/base/files.h"
#include "danlu/base/threads.h"
#include "danlu/data/dataset/dataset.h"
#include "danlu/data/image/decode.h"
#include "danlu/data/table/csv.h"
#include "danlu/data/table/schema.h"
#include "danlu/data/table/values.h"
#include "danlu/data/text/bpe_trainer.h"
#include "danlu/data/text/tokenizer.h"

namespace danlu::bench {
namespace {

// The pieces of a text between blank lines, as views into it.
std::vector<std::string_view> paragraphs(std::string_view text) {
  std::vector<std::string_view> found;
  while (!text.empty()) {
    const size_t end = std::min(text.find("\n\n"), text.size());
    if (end > 0) found.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return found;
}

// TEXT, TOKENIZER: learns 8192 merges. The tokeniser is left in the directory TOKENIZER.
Step train_bpe(const std::string& path, const std::string& tokenizer) {
  const auto text = std::make_shared<std::string>(read_file(path));
  const auto train = [text] {
    data::BpeTrainer trainer({.vocab_size = 256 + 8192, .min_frequency = 2, .special_tokens = {}});
    for (const std::string_view paragraph : paragraphs(*text)) trainer.add(paragraph);
    return trainer.train();
  };
  data::TokenizerModel model = train();
  const auto merges = static_cast<int64_t>(model.merges.size());
  fs::create_directories(tokenizer);
  data::Tokenizer(std::move(model)).save(tokenizer);
  return {[train] { train(); }, merges};
}

// TEXT, TOKENIZER: all paragraphs to ids, divided among the threads.
Step tokenise(const std::string& path, const std::string& directory) {
  const auto text = std::make_shared<std::string>(read_file(path));
  const auto tokenizer = std::make_shared<data::Tokenizer>(data::Tokenizer::load(directory));
  const auto pieces = paragraphs(*text);
  const auto encode = [text, tokenizer, pieces] {
    std::atomic<int64_t> tokens = 0;
    parallel_for(static_cast<int64_t>(pieces.size()), 256, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) tokens += static_cast<int64_t>(tokenizer->encode(pieces[static_cast<size_t>(i)]).size());
    });
    return tokens.load();
  };
  return {[encode] { encode(); }, encode()};
}

// FILE: read, the types of its columns found, and the numbers made numbers.
Step csv(const std::string& path) {
  const auto read = [path] {
    const data::Table table = data::read_csv(path);
    const data::Schema schema = data::infer_schema(table);
    std::vector<int64_t> rows(static_cast<size_t>(table.num_rows()));
    std::iota(rows.begin(), rows.end(), 0);
    for (int64_t c = 0; c < table.num_columns(); ++c) {
      const data::ColumnType type = schema.columns[static_cast<size_t>(c)].type;
      if (type == data::ColumnType::number) data::column_numbers(table, c, rows, type, data::BadCell::error);
    }
    return table.num_rows();
  };
  return {[read] { read(); }, read()};
}

constexpr int64_t kImages = 64, kSide = 256, kCrop = 224;

// A smooth pattern with some noise, so that the file has about the size of a photograph's.
void write_jpeg(const fs::path& path, uint64_t seed) {
  Rng rng(seed);
  std::vector<uint8_t> pixels;
  for (int64_t i = 0; i < kSide * kSide; ++i) {
    const double x = static_cast<double>(i % kSide) / kSide, y = static_cast<double>(i / kSide) / kSide;
    for (int c = 0; c < 3; ++c) pixels.push_back(static_cast<uint8_t>(128 + 60 * std::sin(12 * x + 7 * c) * std::cos(9 * y + static_cast<double>(seed)) + 24 * rng.uniform()));
  }
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &bytes, &size);
  jpeg.image_width = jpeg.image_height = kSide;
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  for (int64_t row = 0; row < kSide; ++row) {
    JSAMPROW line = pixels.data() + row * kSide * 3;
    jpeg_write_scanlines(&jpeg, &line, 1);
  }
  jpeg_finish_compress(&jpeg);
  write_file_atomic(path, {reinterpret_cast<const char*>(bytes), size});
  jpeg_destroy_compress(&jpeg);
  std::free(bytes);
}

const data::AugmentOptions kVaried{.horizontal_flip = 0.5, .shift = 0.1};

// DIRECTORY: 64 JPEG files decoded, brought to 224 x 224, varied and normalised. They are made where there are none.
Step images(const fs::path& directory) {
  fs::create_directories(directory);
  std::vector<fs::path> paths;
  for (int64_t i = 0; i < kImages; ++i) {
    paths.push_back(directory / (std::to_string(i) + ".jpg"));
    if (!fs::exists(paths.back())) write_jpeg(paths.back(), static_cast<uint64_t>(i));
  }
  const auto preprocess = std::make_shared<data::ImagePreprocess>(kCrop, kCrop, std::vector<double>(3, 0.5), std::vector<double>(3, 0.25));
  const Tensor x = Tensor::empty({kImages, kCrop, kCrop, 3});
  const auto epoch = std::make_shared<int64_t>(0);
  return {[=] {
    float* out = Tensor(x).mutable_data();
    ++*epoch;
    parallel_for(kImages, 1, [&](int64_t begin, int64_t end) {
      std::vector<uint8_t> varied(kCrop * kCrop * 3);
      for (int64_t i = begin; i < end; ++i) {
        const data::Image image = data::fit_to(data::read_image(paths[static_cast<size_t>(i)]), kCrop, kCrop, 3);
        data::augment(image.pixels.data(), varied.data(), {kCrop, kCrop, 3}, kVaried, 7, *epoch, i);
        preprocess->normalize(varied.data(), out + i * kCrop * kCrop * 3);
      }
    });
  }};
}

// A batch of 64 images of 28 x 28 that lie in memory, varied and normalised: what the loader makes for the CNN.
Step augment() {
  constexpr int64_t kSamples = 8192;
  data::LabeledImages images;
  images.pixels = Tensor::empty({kSamples, 28, 28, 1}, Dtype::u8);
  images.labels.assign(kSamples, 0);
  Rng rng(7);
  for (uint8_t& pixel : images.pixels.mutable_span<uint8_t>()) pixel = static_cast<uint8_t>(rng.below(256));
  const auto dataset = std::make_shared<data::ImageDataset>(images, data::ImagePreprocess(28, 28, {0.5}, {0.25}), kVaried);
  const auto batch = std::make_shared<data::Batch>();
  const auto next = std::make_shared<int64_t>(0);
  return {[=] {
    std::vector<int64_t> indexes(kImages);
    for (int64_t& index : indexes) index = (*next)++ * 769 % kSamples;
    dataset->gather(indexes, *batch, {data::Phase::train, 7, *next});
  }};
}

}  // namespace

Workloads data_workloads() {
  return {{"bpe-train", [](const auto& files) { return train_bpe(files.at(0), files.at(1)); }},
          {"tokenise", [](const auto& files) { return tokenise(files.at(0), files.at(1)); }},
          {"csv", [](const auto& files) { return csv(files.at(0)); }},
          {"images", [](const auto& files) { return images(files.at(0)); }},
          {"augment", [](const auto&) { return augment(); }}};
}

}  // namespace danlu::bench
