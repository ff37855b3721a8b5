// IDX, the file format of MNIST and its successors: a big-endian header and an array.
//
//   byte 0-1  zero
//   byte 2    element type: 08 u8, 09 i8, 0B i16, 0C i32, 0D f32, 0E f64
//   byte 3    number of axes
//   then      the size of each axis, u32; then the elements, row-major
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/data/image/labeled_images.h"
#include "danlu/engine/tensor/tensor.h"

namespace danlu::data {

// u8 stays u8; i8, i16 and i32 become i32; f32 and f64 become f32. One to six axes.
// The sizes are checked against the number of bytes before memory is taken. Throws DataError naming `source`.
Tensor parse_idx(std::string_view bytes, std::string_view source);

// A plain file or one compressed with gzip.
Tensor read_idx(const fs::path& path);

// A file of images, u8 (N, H, W) or (N, H, W, C), and its file of labels, integers (N). class_names may be empty: then
// they are "0", "1", ... up to the largest label. Throws DataError if the counts differ or a label has no name.
LabeledImages read_idx_images(const fs::path& images, const fs::path& labels,
                              std::vector<std::string> class_names = {});

// The directory of an MNIST-like set: train-images-idx3-ubyte and train-labels-idx1-ubyte, and t10k-images-... and
// t10k-labels-..., which are marked Part::test; each plain or with .gz.
LabeledImages read_idx_directory(const fs::path& directory, std::vector<std::string> class_names = {});

// True if the directory holds IDX images under those names.
bool is_idx_directory(const fs::path& directory);

}  // namespace danlu::data
