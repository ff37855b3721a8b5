// Small data sets, made by hand, that a small model learns in a moment.
#pragma once

#include <string>

#include "danlu/base/files.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/data/image/decode.h"

namespace danlu::test {

// Two clouds of points that a line divides, and a word that tells nothing: x,y,colour,kind.
inline std::string points_csv(int64_t rows, uint64_t seed = 3) {
  Rng rng(seed);
  std::string text = "x,y,colour,kind\n";
  for (int64_t i = 0; i < rows; ++i) {
    const bool far = rng.below(2) == 1;
    const float shift = far ? 2.0f : -2.0f;
    text += fmt::format("{:.4f},{:.4f},{},{}\n", rng.normal() + shift, rng.normal() + shift,
                        rng.below(3) == 0 ? "red" : "blue", far ? "far" : "near");
  }
  return text;
}

// Three kinds, told by size and by a word; a few cells of both are empty: length,width,leaf,species.
inline std::string flowers_csv(int64_t rows, uint64_t seed = 5) {
  constexpr const char* kSpecies[] = {"aster", "briar", "clover"};
  constexpr const char* kLeaf[] = {"round", "pointed", "lobed"};
  Rng rng(seed);
  std::string text = "length,width,leaf,species\n";
  for (int64_t i = 0; i < rows; ++i) {
    const auto kind = static_cast<size_t>(rng.below(3));
    const std::string length = rng.below(20) == 0 ? "" : fmt::format("{:.3f}", 3.0 * kind + rng.normal());
    const std::string leaf = rng.below(20) == 0 ? "" : kLeaf[rng.below(4) == 0 ? rng.below(3) : kind];
    text += fmt::format("{},{:.3f},{},{}\n", length, rng.normal() - 2.0 * kind, leaf, kSpecies[kind]);
  }
  return text;
}

// A price that grows with the area and depends on the district; some areas are missing: area,district,garden,price.
inline std::string houses_csv(int64_t rows, uint64_t seed = 7) {
  constexpr const char* kDistrict[] = {"old town", "harbour", "\"hill, north\""};
  Rng rng(seed);
  std::string text = "area,district,garden,price\n";
  for (int64_t i = 0; i < rows; ++i) {
    const double area = 100 + 30 * rng.normal();
    const auto district = static_cast<size_t>(rng.below(3));
    const bool garden = rng.below(2) == 1;
    const double price = 20000 + 2500 * area + 30000.0 * district + (garden ? 25000 : 0) + 1000 * rng.normal();
    text += fmt::format("{},{},{},{:.0f}\n", rng.below(15) == 0 ? "NA" : fmt::format("{:.1f}", area),
                        kDistrict[district], garden ? "yes" : "no", price);
  }
  return text;
}

// An 8 x 8 gray PNG, bright or dark on the whole.
inline std::string square_png(bool bright, Rng& rng) {
  data::Image image{8, 8, 1, {}};
  for (int i = 0; i < 64; ++i) image.pixels.push_back(static_cast<uint8_t>((bright ? 150 : 20) + rng.below(80)));
  return data::encode_png(image);
}

// squares/bright/0.png, squares/dark/1.png, ...
inline void write_squares(const fs::path& directory, int64_t count, uint64_t seed = 9) {
  Rng rng(seed);
  for (int64_t i = 0; i < count; ++i) {
    const bool bright = i % 2 == 0;
    write_file_atomic(directory / (bright ? "bright" : "dark") / fmt::format("{}.png", i), square_png(bright, rng));
  }
}

// Short sentences of a small grammar, a paragraph a document.
inline std::string sentences(int paragraphs) {
  constexpr const char* kWho[] = {"the cat", "a dog", "the old man", "my sister", "春天的风"};
  constexpr const char* kDoes[] = {"sees", "likes", "follows", "paints"};
  Rng rng(5);
  std::string text;
  for (int p = 0; p < paragraphs; ++p) {
    for (int s = 0; s < 3; ++s) {
      const char *who = kWho[rng.below(5)], *does = kDoes[rng.below(4)];
      text += fmt::format("{} {} {}.\n", who, does, kWho[rng.below(5)]);
    }
    text += "\n";
  }
  return text;
}

}  // namespace danlu::test
