// Images from wherever they lie: the one door for recipes.
#pragma once

#include <string>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/data/image/folder.h"
#include "danlu/data/image/labeled_images.h"

namespace danlu::data {

// A directory of IDX files (read_idx_directory) or of image files (read_image_folder), told apart by what is in it.
// class_names name the classes of IDX files, which hold only numbers; for folders they must be empty (ConfigError),
// because the directories are the names. Without labels every image has the one class "image". A size or channels that are asked for hold for both.
LabeledImages read_images(const fs::path& directory, const FolderOptions& options = {},
                          std::vector<std::string> class_names = {}, Labels labels = Labels::directories);

}  // namespace danlu::data
