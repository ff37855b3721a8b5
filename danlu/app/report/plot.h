// Figures as inline SVG, in the colours of page.h: curves, scattered points, a confusion matrix, an interval.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace danlu::app {

struct Range {
  double low = 0, high = 1;
};

// A point that is not finite interrupts a line.
struct Series {
  std::string name;
  std::vector<double> x = {}, y = {};
  int colour = 0;       // 0 to 9
  bool points = false;  // scattered, not joined
  bool faint = false;   // in the background, and not in the key
};

struct Plot {
  std::string title, x_label, y_label;
  std::vector<Series> series = {};
  std::optional<Range> x_range = {}, y_range = {};  // else what the series take
  bool whole_x = false;  // ticks at whole numbers alone: epochs, updates, folds
  bool square = false;
  bool diagonal = false;  // a dashed line from corner to corner

  struct Mark {
    double x = 0, y = 0;
    int colour = 0;
    std::string text;
  };
  std::optional<Mark> mark = {};

  // How sure a point is.
  struct Whisker {
    double x = 0, low = 0, high = 0;
    int colour = 0;
  };
  std::vector<Whisker> whiskers = {};

  // A faint histogram at the foot: from low to high, as high as `share` of the highest.
  struct Bar {
    double low = 0, high = 0, share = 0;
  };
  std::vector<Bar> bars = {};
};

// A figure with its caption and its key; empty if no series has a point. A line whose points are closer than a pixel is thinned. An
// axis of values above 0 that span more than a factor of 50 is logarithmic.
std::string draw(const Plot& plot);

// The rows of a confusion matrix: actual classes, with the counts of predicted ones.
std::string draw_confusion(std::span<const std::string> names, const std::vector<std::vector<int64_t>>& counts);

// A value and its interval on a scale, small enough for a table.
std::string draw_interval(double value, Range interval, Range scale, int colour = 0);

}  // namespace danlu::app
