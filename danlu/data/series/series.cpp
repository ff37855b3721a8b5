#include "danlu/data/series/series.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <set>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/source_text.h"
#include "danlu/data/table/values.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.series";
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kDay = 86400;

// Seconds of a date: as values.h has them, and 19580329, 1958-03.
std::optional<double> parse_time(Cell cell) {
  const std::string text(cell);
  if (const auto days = parse_date(cell)) return std::round(*days * kDay);
  const bool compact = text.size() == 8 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (compact) {
    if (const auto days = parse_date(text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6))) return *days * kDay;
  }
  if (text.size() == 7) {
    if (const auto days = parse_date(text + "-01")) return *days * kDay;
  }
  return std::nullopt;
}

class Reader {
 public:
  Reader(const Table& table, const SeriesOptions& options, int64_t most_cells) : table_(table), options_(options), most_cells_(most_cells) {
    if (options.values.empty()) throw ConfigError(kWhere, "data.series.values: got none; expected the columns that are to be foretold");
    for (const std::string& name : options.values) values_.push_back(table.column_index(name));
    for (const std::string& name : options.known) known_.push_back(table.column_index(name));
    if (!options.time.empty()) time_ = table.column_index(options.time);
    if (!options.id.empty()) id_ = table.column_index(options.id);
    if (table.num_rows() == 0) throw DataError(kWhere, fmt::format("{}: got no rows; expected one for each time", table.source()));
  }

  Panel read() {
    panel_.rows = table_.num_rows();
    read_ids();
    read_times();
    lay_grid();
    for (int64_t row = 0; row < table_.num_rows(); ++row) place(row);
    average();
    finish();
    return std::move(panel_);
  }

 private:
  void read_ids() {
    std::map<std::string, int64_t, std::less<>> numbers;
    for (int64_t row = 0; row < table_.num_rows(); ++row) {
      const Cell cell = id_ ? table_.cell(row, *id_) : Cell("");
      if (is_missing(cell)) throw DataError(kWhere, fmt::format("{}: got nothing; expected the name of a series", table_.place(row, *id_)));
      const auto [at, is_new] = numbers.try_emplace(std::string(cell), std::ssize(ids_));
      if (is_new) ids_.emplace_back(cell);
      of_row_.push_back(at->second);
    }
    for (const std::string& id : ids_) {
      for (const std::string& value : options_.values) {
        panel_.series.push_back({.name = !id_ ? value : options_.values.size() == 1 ? id : id + " " + value, .values = {}, .known = {}});
      }
    }
  }

  void read_times() {
    if (!time_) return;
    for (int64_t row = 0; row < table_.num_rows(); ++row) {
      const Cell cell = table_.cell(row, *time_);
      if (row == 0) dates_ = is_missing(cell) || parse_time(cell) || !parse_number(cell);
      std::optional<double> time;
      if (!is_missing(cell)) time = dates_ ? parse_time(cell) : parse_number(cell);
      if (!time || !std::isfinite(*time)) {
        throw DataError(kWhere, fmt::format("{}: got {}; expected {}", table_.place(row, *time_), is_missing(cell) ? "nothing" : shown(cell),
                                            dates_ ? "a date such as 2024-02-29, 2024-02-29 13:45, 20240229 or 2024-02" : "a number, as in the first row"));
      }
      times_.push_back(*time);
    }
    panel_.has_dates = dates_;
    std::vector<double> last(ids_.size(), -HUGE_VAL);
    for (size_t row = 0; row < times_.size(); ++row) {
      double& before = last[static_cast<size_t>(of_row_[row])];
      panel_.unordered += times_[row] < before;
      before = std::max(before, times_[row]);
    }
  }

  void lay_grid() {
    std::vector<double> distinct = times_;
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    const bool told = options_.frequency != "auto";
    if (told) panel_.frequency = Frequency::parse(options_.frequency);
    if (!time_ || !dates_) {
      if (told && !panel_.frequency.is_step()) throw ConfigError(kWhere, fmt::format("data.series.frequency: got {}; expected step: {}", options_.frequency, time_ ? "the times are numbers and no dates" : "no column says when (data.series.time)"));
    } else if (!told) {
      const auto found = Frequency::infer(distinct);
      if (!found) throw DataError(kWhere, fmt::format("{}: got {} different times; expected at least two, to see how far apart they are", table_.source(), distinct.size()));
      panel_.frequency = *found;
    }
    if (!time_) {
      std::vector<int64_t> count(ids_.size(), 0);
      for (const int64_t id : of_row_) period_of_row_.push_back(count[static_cast<size_t>(id)]++);
    } else if (panel_.frequency.is_step()) {
      for (const double time : times_) period_of_row_.push_back(std::lower_bound(distinct.begin(), distinct.end(), time) - distinct.begin());
    } else {
      for (int64_t row = 0; row < table_.num_rows(); ++row) period_of_row_.push_back(period_of_time(row, distinct, !told));
    }
    panel_.periods = *std::max_element(period_of_row_.begin(), period_of_row_.end()) + 1;
    check_size(distinct);
    if (panel_.frequency.is_step()) {
      panel_.times = std::move(distinct);
    } else {
      for (int64_t p = 0; p < panel_.periods; ++p) panel_.times.push_back(panel_.frequency.later(distinct.front(), p));
    }
    const auto periods = static_cast<size_t>(panel_.periods);
    for (Panel::Series& s : panel_.series) {
      s.values.assign(periods, kNone);
      s.known.assign(known_.size(), std::vector<double>(periods, kNone));
    }
    has_row_.assign(ids_.size(), std::vector<bool>(periods, false));
  }

  // A time that is centuries off, or a series of two rows among a thousand others, must not take all memory.
  void check_size(const std::vector<double>& distinct) const {
    const int64_t columns = std::ssize(panel_.series) * (1 + std::ssize(known_));
    if (panel_.periods <= most_cells_ / columns) return;
    const Frequency& f = panel_.frequency;
    const std::string span = f.is_step() ? "" : fmt::format(" of a {}, from {} to {},", f.name(), f.time_text(distinct.front()), f.time_text(distinct.back()));
    throw DataError(kWhere, fmt::format("{}: got {} rows, for which {} periods{} of {} series with {} columns known in advance make {:.4g} cells, gaps among them; expected at most {}; correct times that are far off, "
                                        "or {}take fewer series at a time", table_.source(), table_.num_rows(), panel_.periods, span, panel_.series.size(), known_.size(),
                                        static_cast<double>(panel_.periods) * static_cast<double>(columns), most_cells_, f.is_step() ? "" : "set a longer data.series.frequency, or "));
  }

  int64_t line_of(double time) const { return table_.line(std::find(times_.begin(), times_.end(), time) - times_.begin()); }

  int64_t period_of_time(int64_t row, const std::vector<double>& distinct, bool is_found) const {
    const auto periods = panel_.frequency.periods(distinct.front(), times_[static_cast<size_t>(row)]);
    if (periods) return *periods;
    std::string why;
    if (is_found) {  // one row out of line is enough to find a wrong one
      size_t least = 1;
      for (size_t i = 2; i < distinct.size(); ++i) {
        if (distinct[i] - distinct[i - 1] < distinct[least] - distinct[least - 1]) least = i;
      }
      why = fmt::format(", as near as lines {} and {} are", line_of(distinct[least - 1]), line_of(distinct[least]));
    }
    throw DataError(kWhere, fmt::format("{}: got {}; expected a whole number of periods of a {}{} behind the first time, {} in line {}; correct the row that is out of line, or set data.series.frequency, or frequency: step if "
                                        "rows count and not times", table_.place(row, *time_), shown(table_.cell(row, *time_)), panel_.frequency.name(), why, panel_.frequency.time_text(distinct.front()), line_of(distinct.front())));
  }

  double number(int64_t row, int64_t column) const {
    const Cell cell = table_.cell(row, column);
    if (is_missing(cell)) return kNone;
    const auto value = parse_number(cell);
    if (!value || !std::isfinite(*value)) {
      throw DataError(kWhere, fmt::format("{}: got {}; expected a finite number; if it stands for a gap, add it to data.csv.missing", table_.place(row, column), shown(cell)));
    }
    return *value;
  }

  // The row before this one that is of its series and period.
  int64_t first_of(int64_t row) const {
    size_t first = 0;
    while (of_row_[first] != of_row_[static_cast<size_t>(row)] || period_of_row_[first] != period_of_row_[static_cast<size_t>(row)]) ++first;
    return static_cast<int64_t>(first);
  }

  void place(int64_t row) {
    const auto id = static_cast<size_t>(of_row_[static_cast<size_t>(row)]);
    const int64_t period = period_of_row_[static_cast<size_t>(row)];
    const auto p = static_cast<size_t>(period);
    const bool again = has_row_[id][p];
    has_row_[id][p] = true;
    if (again) {
      ++panel_.repeated;
      if (options_.on_duplicate == "error") {
        throw DataError(kWhere, fmt::format("{}: got {} a second time{}; the first is in line {}; expected one row for each time{}; or set data.series.on_duplicate: mean, sum or last", table_.place(row, *time_),
                                            panel_.time_text(period), id_ ? fmt::format(" for \"{}\"", ids_[id]) : "", table_.line(first_of(row)), id_ ? "" : ", or a column that tells series apart (data.series.id)"));
      }
    }
    for (size_t v = 0; v < values_.size(); ++v) {
      Panel::Series& s = panel_.series[id * values_.size() + v];
      const double value = number(row, values_[v]);
      double& there = s.values[p];
      if (!again || std::isnan(there) || options_.on_duplicate == "last") {
        if (!std::isnan(value) || !again) there = value;
      } else if (!std::isnan(value)) {
        there += value;  // a mean is divided when all are in
        if (options_.on_duplicate == "mean") ++summed_[{id * values_.size() + v, p}];
      }
      for (size_t k = 0; k < known_.size(); ++k) {
        if (const double known = number(row, known_[k]); !std::isnan(known)) s.known[k][p] = known;  // a gap takes nothing back
      }
    }
  }

  void average() {
    for (const auto& [at, more] : summed_) panel_.series[at.first].values[at.second] /= static_cast<double>(1 + more);
  }

  void finish() {
    for (Panel::Series& s : panel_.series) {
      const auto is_there = [](double v) { return !std::isnan(v); };
      s.begin = std::find_if(s.values.begin(), s.values.end(), is_there) - s.values.begin();
      s.end = std::find_if(s.values.rbegin(), s.values.rend(), is_there).base() - s.values.begin();
      if (s.begin >= s.end) throw DataError(kWhere, fmt::format("{}: the series \"{}\" has no value at all; expected some to learn from", table_.source(), s.name));
      if (options_.gaps == "error") {
        for (int64_t p = s.begin; p < s.end; ++p) {
          if (is_there(s.values[static_cast<size_t>(p)])) continue;
          throw DataError(kWhere, fmt::format("{}: the series \"{}\" has no value for {}; expected one for each {}; or set data.series.gaps: fill", table_.source(), s.name, panel_.time_text(p), panel_.frequency.name()));
        }
      }
    }
  }

  const Table& table_;
  const SeriesOptions& options_;
  int64_t most_cells_;
  std::optional<int64_t> time_, id_;
  std::vector<int64_t> values_, known_;
  std::vector<std::string> ids_;
  std::vector<int64_t> of_row_, period_of_row_;
  std::vector<double> times_;
  std::vector<std::vector<bool>> has_row_;  // of each id and period
  std::map<std::pair<size_t, size_t>, int64_t> summed_;
  bool dates_ = true;
  Panel panel_;
};

// Periods of the cycle that is looked for first.
int64_t usual_season(const Frequency& f) {
  if (f.is_step()) return 1;
  const double days = f.days();
  const double cycle = days < 1 ? 1 : days < 7 ? 7 : 365.25;  // a day of hours, a week of days, a year of weeks and months
  return std::max<int64_t>(1, std::llround(cycle / days));
}

}  // namespace

void SeriesOptions::describe(OptionVisitor& v) {
  v.field("time", time, "the column that says when: dates, or numbers; empty: the rows are in order of time, one a period");
  v.field("id", id, "the column that tells series apart; empty: there is one for each column of values");
  v.field("values", values, "the columns to foretell");
  v.field("known", known, "columns of numbers that are known in advance: holidays, prices, plans");
  v.field("frequency", frequency, "a period: minute, hour, day, week, month, quarter, year, 15 minutes; step: rows count and not times; auto: the smallest distance of two times");
  v.field("horizon", horizon, {1, 10000}, "periods to foretell");
  v.field("season", season, {1, 1e6}, "periods after which things repeat themselves; default: a day of hours, a week of days, a year of weeks or months");
  v.field("length", length, {1, 100000}, "periods of the past that the model is shown; default: two seasons, at least the horizon, at most 256");
  v.field("lags", lags, {1, 1e6}, "values so many periods before are shown besides: 364 for the same weekday of last year");
  v.field("calendar", calendar, "what of the time is shown: day (its part that is over), weekday, year (its part that is over); auto: what fits the frequency; []: nothing");
  v.choice("reference", reference, {"season", "last"}, "forecasts are differences to the value a season before, or to the last one");
  v.choice("gaps", gaps, {"fill", "error"}, "periods without a value: filled for the model from what stands around them, never measured against; or refused");
  v.choice("on_duplicate", on_duplicate, {"error", "mean", "sum", "last"}, "two rows of one time");
  v.field("intervals", intervals, {0.01, 0.999}, "forecasts come with intervals that hold so much of what then happens; []: none");
  v.field("stride", stride, {1, 10000}, "periods from one origin of the walk-forward test to the next");
}

std::string Panel::time_text(int64_t period) const {
  if (period >= periods && frequency.is_step()) return fmt::format("+{}", period + 1 - periods);
  if (times.empty()) return fmt::format("period {}", period);
  if (period >= periods) return frequency.time_text(frequency.later(times.front(), period));
  const double time = times[static_cast<size_t>(period)];
  return has_dates ? frequency.time_text(time) : fmt::format("{}", time);
}

Hash128 Panel::hash() const {
  std::string text = frequency.name();
  for (const double time : times) fmt::format_to(std::back_inserter(text), " {}", time);
  for (const Series& s : series) {
    text += "\n" + s.name;
    for (const double v : s.values) fmt::format_to(std::back_inserter(text), " {}", v);
    for (const auto& known : s.known) {
      for (const double v : known) fmt::format_to(std::back_inserter(text), " {}", v);
    }
  }
  return hash_text(text);
}

Panel read_series(const Table& table, const SeriesOptions& options, int64_t most_cells) { return Reader(table, options, most_cells).read(); }

SeriesOptions resolve_series_options(SeriesOptions o, const Frequency& frequency) {
  o.frequency = frequency.name();
  if (!o.season) o.season = usual_season(frequency);
  if (!o.length) o.length = std::clamp<int64_t>(2 * *o.season, o.horizon, std::max<int64_t>(256, o.horizon));
  if (o.calendar == std::vector<std::string>{"auto"}) {
    o.calendar.clear();
    if (!frequency.is_step()) {
      if (frequency.days() < 1) o.calendar.emplace_back("day");
      if (frequency.days() < 7) o.calendar.emplace_back("weekday");
      if (frequency.days() < 365) o.calendar.emplace_back("year");
    }
  }
  for (const std::string& word : o.calendar) {
    const std::vector<std::string> words = {"day", "weekday", "year"};
    if (std::find(words.begin(), words.end(), word) == words.end()) throw ConfigError(kWhere, fmt::format("data.series.calendar: got \"{}\"; expected auto or some of {}{}", word, fmt::join(words, ", "), did_you_mean(word, words)));
    if (frequency.is_step()) throw ConfigError(kWhere, "data.series.calendar: got a part of the calendar; expected []: steps have no times ahead");
  }
  for (const int64_t lag : o.lags) {
    if (lag < o.horizon) throw ConfigError(kWhere, fmt::format("data.series.lags: got {}; expected at least the horizon, {}: what is nearer is not known yet for all that is foretold, and the last {} values are shown anyway", lag, o.horizon, *o.length));
  }
  if (std::set<int64_t>(o.lags.begin(), o.lags.end()).size() != o.lags.size()) throw ConfigError(kWhere, "data.series.lags: got one of them twice");
  return o;
}

}  // namespace danlu::data
