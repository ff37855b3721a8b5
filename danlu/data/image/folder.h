// Image folders: one directory a class, PNG and JPEG files in it (or below it).
//
//   flowers/rose/1.png  flowers/rose/2.jpg  flowers/tulip/...           one set, to be split
//   flowers/train/rose/...  flowers/val/rose/...  flowers/test/rose/... already split
//
// The parts are called train, val (or valid, or validation) and test.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/base/options.h"
#include "danlu/data/image/decode.h"
#include "danlu/data/image/labeled_images.h"

namespace danlu::data {

struct FolderOptions {
  std::optional<int64_t> height = {}, width = {};  // absent: the commonest size of the files, at most 224 a side
  std::string channels = "auto";                   // gray | rgb | auto: gray if every file is
  std::string on_bad_file = "error";               // | skip
  int64_t max_memory_mb = 4096;                    // for the decoded images

  void describe(OptionVisitor& v);
};

// What the directories of a folder say.
enum class Labels : uint8_t {
  directories,  // the class of what is in them
  none,         // nothing: PNG and JPEG files anywhere below the root, which all get the one class "image"
};

// Reads every file below the class directories, in parallel; names that begin with a dot are passed over. Classes are
// the directory names in ascending order (of the training part, if there are parts), samples in order of part and path,
// whatever the file system and the number of threads. Throws DataError listing the first bad files and their number
// (on_bad_file: error); for a directory without classes, a class without one readable image, a class of the test part
// that the training part lacks, or images that need more memory than allowed. With on_bad_file: skip the bad files are
// in LabeledImages::unreadable.
LabeledImages read_image_folder(const fs::path& root, const FolderOptions& options = {}, const DecodeLimits& limits = {},
                                Labels labels = Labels::directories);

// The files of these names below a directory (or elsewhere, where a name is an absolute path), in this order, one image each; a name may be given
// again. All get the one class "image". Throws DataError as read_image_folder does; a bad file is always an error, as somebody has named it.
LabeledImages read_image_files(const fs::path& root, const std::vector<std::string>& names, const FolderOptions& options = {}, const DecodeLimits& limits = {});

}  // namespace danlu::data
