#include "danlu/data/image/folder.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"
#include "danlu/data/image/preprocess.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.folder";
constexpr int64_t kMaxDerivedSide = 224;
constexpr int64_t kFilesPerTask = 16;

// One file on the way to a sample.
struct Entry {
  fs::path path;
  int64_t label = 0;
  Part part = Part::any;
  ImageInfo info;
  std::string problem;  // why it cannot be read; empty if it can
};

std::vector<fs::path> list_directories(const fs::path& root) {
  std::error_code error;
  std::vector<fs::path> directories;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    if (it->is_directory() && !it->path().filename().string().starts_with('.')) directories.push_back(it->path());
  }
  if (error) throw FileError(kWhere, fmt::format("cannot list {}: {}", root.string(), error.message()));
  std::sort(directories.begin(), directories.end());
  return directories;
}

Part part_of(const std::string& name) {
  if (name == "train") return Part::train;
  if (name == "val" || name == "valid" || name == "validation") return Part::validation;
  return name == "test" ? Part::test : Part::any;
}

// The directories that hold classes, each with its part: the root itself, or its train, val and test.
std::vector<std::pair<Part, fs::path>> find_parts(const fs::path& root) {
  const std::vector<fs::path> directories = list_directories(root);
  if (directories.empty()) {
    throw DataError(
        kWhere, fmt::format("got no directories in {}; expected one for each class, with its images", root.string()));
  }
  std::vector<std::pair<Part, fs::path>> parts;
  parts.reserve(directories.size());
  for (const fs::path& directory : directories) parts.emplace_back(part_of(directory.filename().string()), directory);
  const auto is_part = [](const auto& p) { return p.first != Part::any; };
  const bool divided = std::all_of(parts.begin(), parts.end(), is_part) &&
                       std::any_of(parts.begin(), parts.end(), [](const auto& p) { return p.first == Part::train; });
  if (!divided) return {{Part::any, root}};
  std::sort(parts.begin(), parts.end());
  return parts;
}

// Every file below the root, or below its parts where it has a training part.
std::vector<Entry> list_unlabelled(const fs::path& root, std::vector<std::string>& class_names) {
  class_names = {"image"};
  const std::vector<fs::path> directories = list_directories(root);
  const bool divided = std::any_of(directories.begin(), directories.end(), [](const fs::path& p) { return part_of(p.filename().string()) == Part::train; });
  std::vector<Entry> entries;
  for (const auto& [part, directory] : divided ? find_parts(root) : std::vector<std::pair<Part, fs::path>>{{Part::any, root}}) {
    for (const fs::path& file : list_files(directory, true)) {
      if (!file.filename().string().starts_with('.')) entries.push_back({file, 0, part, {}, {}});
    }
  }
  return entries;
}

std::vector<Entry> list_entries(const fs::path& root, std::vector<std::string>& class_names) {
  std::vector<Entry> entries;
  for (const auto& [part, directory] : find_parts(root)) {
    const std::vector<fs::path> classes = list_directories(directory);
    if (part == Part::any || part == Part::train) {
      for (const fs::path& path : classes) class_names.push_back(path.filename().string());
    }
    for (const fs::path& path : classes) {
      const auto found = std::find(class_names.begin(), class_names.end(), path.filename().string());
      if (found == class_names.end()) {
        throw DataError(kWhere,
                        fmt::format("got the class \"{}\" in {}; expected only classes of the training part: {}",
                                    path.filename().string(), directory.string(), fmt::join(class_names, ", ")));
      }
      for (const fs::path& file : list_files(path, true)) {
        if (!file.filename().string().starts_with('.'))
          entries.push_back({file, found - class_names.begin(), part, {}, {}});
      }
    }
  }
  return entries;
}

// Calls body(entry, index) for each entry without a problem, in parallel; a DataError or FileError becomes its problem.
template <class Body>
void for_each_entry(std::vector<Entry>& entries, const Body& body) {
  parallel_for(static_cast<int64_t>(entries.size()), kFilesPerTask, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Entry& entry = entries[static_cast<size_t>(i)];
      if (!entry.problem.empty()) continue;
      try {
        body(entry, i);
      } catch (const DataError& e) {
        entry.problem = e.message();
      } catch (const FileError& e) {
        entry.problem = e.message();
      }
    }
  });
}

// Moves the bad files to set.unreadable, or throws if they are not wanted.
void sort_out(std::vector<Entry>& entries, const FolderOptions& options, const fs::path& root, LabeledImages& set) {
  for (const Entry& entry : entries) {
    if (!entry.problem.empty()) set.unreadable.push_back({entry.path.lexically_relative(root).string(), entry.problem});
  }
  if (set.unreadable.empty()) return;
  if (options.on_bad_file == "error") {
    std::string list;
    constexpr size_t kShown = 5;
    for (size_t i = 0; i < std::min(kShown, set.unreadable.size()); ++i) list += "\n  " + set.unreadable[i].reason;
    if (set.unreadable.size() > kShown) list += fmt::format("\n  and {} more", set.unreadable.size() - kShown);
    throw DataError(kWhere,
                    fmt::format("got {} bad of {} files in {}; expected images only; repair or remove them, or set "
                                "on_bad_file: skip{}",
                                set.unreadable.size(), entries.size(), root.string(), list));
  }
  std::erase_if(entries, [](const Entry& entry) { return !entry.problem.empty(); });
}

void check_classes(const std::vector<Entry>& entries, const std::vector<std::string>& class_names,
                   const fs::path& root) {
  std::set<int64_t> seen;
  for (const Entry& entry : entries) {
    if (entry.part == Part::any || entry.part == Part::train) seen.insert(entry.label);
  }
  for (size_t c = 0; c < class_names.size(); ++c) {
    if (!seen.contains(static_cast<int64_t>(c))) {
      throw DataError(kWhere, fmt::format("got no readable image for the class \"{}\" in {}; expected at least one",
                                          class_names[c], root.string()));
    }
  }
}

// The size that all samples get: (1, H, W, C).
Shape choose_size(const std::vector<Entry>& entries, const FolderOptions& options) {
  std::map<std::pair<int64_t, int64_t>, int64_t> counts;
  bool color = false;
  for (const Entry& entry : entries) {
    ++counts[{entry.info.height, entry.info.width}];
    color |= entry.info.channels == 3;
  }
  const auto commonest =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  const int64_t height = options.height.value_or(std::min(commonest->first.first, kMaxDerivedSide));
  const int64_t width = options.width.value_or(std::min(commonest->first.second, kMaxDerivedSide));
  return {1, height, width, options.channels == "rgb" || (options.channels == "auto" && color) ? 3 : 1};
}

// What the entries name; `set` has the names of the classes already. `whose` says where they were looked for.
void read_entries(std::vector<Entry> entries, const fs::path& root, const FolderOptions& options, const DecodeLimits& limits, const std::string& whose, LabeledImages& set) {
  // Headers first: they settle the size and the memory before anything large is decoded.
  for_each_entry(entries, [&](Entry& entry, int64_t) {
    entry.info = read_image_info(read_file(entry.path), entry.path.string(), limits);
  });
  std::vector<Entry> good;
  std::copy_if(entries.begin(), entries.end(), std::back_inserter(good),
               [](const Entry& e) { return e.problem.empty(); });
  if (good.empty()) throw DataError(kWhere, fmt::format("got {} files {}", entries.size(), whose));
  const Shape one = choose_size(good, options);
  const int64_t image_bytes = one.numel();
  if (static_cast<int64_t>(entries.size()) > (options.max_memory_mb << 20) / image_bytes) {
    throw DataError(
        kWhere, fmt::format("got {} images of {} x {} x {}, which is more than {} MB; expected a smaller height and "
                            "width, or a larger max_memory_mb",
                            entries.size(), one[1], one[2], one[3], options.max_memory_mb));
  }

  Tensor pixels = Tensor::empty(one.with(0, static_cast<int64_t>(entries.size())), Dtype::u8);
  uint8_t* out = pixels.mutable_data<uint8_t>();
  for_each_entry(entries, [&](Entry& entry, int64_t i) {
    const Image image = fit_to(read_image(entry.path, limits), one[1], one[2], one[3]);
    std::memcpy(out + i * image_bytes, image.pixels.data(), image.pixels.size());
  });

  int64_t kept = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].problem.empty()) continue;
    if (kept != static_cast<int64_t>(i))
      std::memcpy(out + kept * image_bytes, out + static_cast<int64_t>(i) * image_bytes,
                  static_cast<size_t>(image_bytes));
    ++kept;
  }
  sort_out(entries, options, root, set);
  check_classes(entries, set.class_names, root);
  set.pixels = pixels.rows(0, kept);
  for (const Entry& entry : entries) {
    set.labels.push_back(entry.label);
    set.files.push_back(entry.path.lexically_relative(root).string());
    if (entry.part != Part::any) set.given.push_back(entry.part);
    ++set.original_sizes[fmt::format("{}x{}x{}", entry.info.height, entry.info.width, entry.info.channels)];
  }
}

}  // namespace

void FolderOptions::describe(OptionVisitor& v) {
  v.field("height", height, {1, 16384}, "rows of every image after resizing; absent: the commonest, at most 224");
  v.field("width", width, {1, 16384}, "columns of every image after resizing; absent: the commonest, at most 224");
  v.choice("channels", channels, {"auto", "gray", "rgb"}, "auto: gray if every file is gray");
  v.choice("on_bad_file", on_bad_file, {"error", "skip"}, "what to do with a file that is not a whole PNG or JPEG");
  v.field("max_memory_mb", max_memory_mb, {1, 1 << 24}, "most memory for the decoded images");
}

LabeledImages read_image_folder(const fs::path& root, const FolderOptions& options, const DecodeLimits& limits, Labels labels) {
  LabeledImages set;
  const bool alone = labels == Labels::none;
  std::vector<Entry> entries = alone ? list_unlabelled(root, set.class_names) : list_entries(root, set.class_names);
  read_entries(std::move(entries), root, options, limits,
               fmt::format("in {}{}, none a PNG or JPEG image; expected at least one{}", alone ? "" : "the class directories of ", root.string(), alone ? "" : " for each class"), set);
  return set;
}

LabeledImages read_image_files(const fs::path& root, const std::vector<std::string>& names, const FolderOptions& options, const DecodeLimits& limits) {
  LabeledImages set;
  set.class_names = {"image"};
  std::vector<Entry> entries;
  for (const std::string& name : names) entries.push_back({root / name, 0, Part::any, {}, {}});
  FolderOptions strict = options;
  strict.on_bad_file = "error";
  for_each_entry(entries, [&](Entry& entry, int64_t) {
    if (!fs::is_regular_file(entry.path)) throw FileError(kWhere, fmt::format("{}: no such file", entry.path.string()));
  });
  const bool none = std::none_of(entries.begin(), entries.end(), [](const Entry& entry) { return entry.problem.empty(); });
  read_entries(std::move(entries), root, strict, limits,
               fmt::format("named below {}, none {}; expected a PNG or JPEG image of each name{}", root.string(), none ? "of them there" : "a PNG or JPEG image",
                           names.empty() ? "" : fmt::format(", the first of which is \"{}\"", names.front())), set);
  return set;
}

}  // namespace danlu::data
