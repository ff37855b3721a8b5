// The operands of bf16_gemm.cpp: numbers rounded to bf16, packed in the order in which the products read them. Two numbers beside each other
// along k are one element, a pair: what an instruction multiplies and adds at once. Pairs are kept as floats, which only loads and stores
// ever see.
//
// Threads: each call packs a unit of its operand, on the calling thread; different units may be packed at once.
#pragma once

#include <algorithm>
#include <cstdint>

namespace danlu::kernels::bf16 {

constexpr int64_t kLanes = 16;
constexpr int64_t kPanelB = 4 * kLanes;        // columns in a panel of B
constexpr int64_t kPanelA = 48;                // rows in a panel of a transposed A: whole tiles and whole vectors
constexpr int64_t kUnit = 32;                  // rows that are packed at once, as they lie in memory

constexpr int64_t quotient_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t rounded_up(int64_t a, int64_t b) { return quotient_up(a, b) * b; }

// Where pairs of columns go: pair p of column j, both from the beginning of a panel, is panel[p * width + j]. The next panel is `stride`
// further on; the last is narrower.
struct Panels {
  float* first;
  int64_t width, last_width, stride, count;
  float* at(int64_t panel) const { return first + panel * stride; }
  int64_t width_of(int64_t panel) const { return panel + 1 < count ? width : last_width; }
};

// A part of an operand and its place: `size` rows of A or columns of B. Packed in units, of some rows as they lie in memory.
struct Operand {
  const float* x;
  int64_t x_row;
  bool along_k;  // whether rows of A or columns of B lie along k
  int64_t size, depth;
  float* pairs;
  bool in_tiles;  // for AMX

  int64_t units() const { return quotient_up(along_k ? size : depth, kUnit); }
  int64_t unit_size(int64_t unit) const { return std::min(kUnit, (along_k ? size : depth) - unit * kUnit); }
  int64_t all_pairs() const { return pairs_of(depth, in_tiles); }
  // In tiles: 16 rows of A or columns of B by 16 pairs along k, zeros at the end of k; those of the same rows or columns lie behind each other. A tile of
  // A holds its rows, one of B its pairs.
  float* tile(int64_t block, int64_t pair) const { return pairs + (block * all_pairs() + pair) * kLanes; }
  static int64_t pairs_of(int64_t depth, bool in_tiles) { return in_tiles ? quotient_up(depth, 2 * kLanes) * kLanes : quotient_up(depth, 2); }
};

// Not in tiles: A as rows where it lies along k, else in panels as B.
struct Left : Operand {
  static int64_t floats(int64_t size, int64_t depth, bool in_tiles) { return rounded_up(size, kPanelA) * (pairs_of(depth, in_tiles) + kGap); }

  int64_t row() const { return all_pairs() + kGap; }
  Panels panels() const { return {pairs, kPanelA, kPanelA, kPanelA * all_pairs(), quotient_up(size, kPanelA)}; }
  void pack(int64_t unit) const;

 private:
  static constexpr int64_t kGap = kLanes;  // rows are no power of two apart, whose lines would fall into few sets of the cache
};

struct Right : Operand {
  static int64_t floats(int64_t size, int64_t depth, bool in_tiles) { return rounded_up(size, kLanes) * pairs_of(depth, in_tiles); }

  int64_t panel_size(int64_t panel) const { return std::min(kPanelB, size - panel * kPanelB); }
  Panels panels() const {
    const int64_t count = quotient_up(size, kPanelB);
    return {pairs, kPanelB, rounded_up(panel_size(count - 1), kLanes), kPanelB * all_pairs(), count};
  }
  void pack(int64_t unit) const;
};

// n numbers, two in the place of a float.
void round_row(const float* x, int64_t n, float* pairs);

}  // namespace danlu::kernels::bf16
