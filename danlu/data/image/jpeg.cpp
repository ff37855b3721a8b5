// JPEG through libjpeg. The library reports a fatal error by a call that must not return, so it jumps back (longjmp) to
// run(). Everything that outlives the jump is a member made before it; between setjmp and the jump there are C frames
// and lambdas without C++ objects only, so that no destructor is skipped.

#include <csetjmp>
#include <cstdio>

// These two need <cstdio>, and each other, in this order.
#include <jpeglib.h>

#include <jerror.h>

#include "danlu/base/format.h"
#include "danlu/data/image/codec.h"

namespace danlu::data::codec {
namespace {

constexpr int kMaxScans = 256;  // a progressive file has about ten; thousands of empty ones would keep the decoder busy

class JpegReader {
 public:
  JpegReader(std::string_view bytes, std::string_view source) : source_(source) {
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = [](j_common_ptr info) { self(info)->give_up(info); };
    errors_.emit_message = [](j_common_ptr info, int level) {
      if (level < 0 && loses_pixels(info->err->msg_code)) self(info)->give_up(info);
    };
    errors_.output_message = [](j_common_ptr) {};
    progress_.progress_monitor = [](j_common_ptr info) {
      if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMaxScans) return;
      std::snprintf(self(info)->reason_, sizeof reason_, "more than %d scans", kMaxScans);
      std::longjmp(self(info)->jump_, 1);
    };
    run([&] {
      jpeg_create_decompress(&info_);
      info_.progress = &progress_;
      jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
      jpeg_read_header(&info_, TRUE);
    });
  }
  ~JpegReader() { jpeg_destroy_decompress(&info_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  ImageInfo info(const DecodeLimits& limits) const {
    check_limits(info_.image_height, info_.image_width, source_, limits);
    if (info_.num_components != 1 && info_.num_components != 3) {
      fail(source_, fmt::format("got a JPEG of {} channels{}; expected gray or RGB; convert it first",
                                info_.num_components, info_.num_components == 4 ? " (CMYK)" : ""));
    }
    return {info_.image_height, info_.image_width, info_.num_components};
  }

  void read(Image& image) {
    uint8_t* row = image.pixels.data();
    const int64_t stride = image.width * image.channels;
    run([&] {
      info_.out_color_space = image.channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
      jpeg_start_decompress(&info_);
      while (info_.output_scanline < info_.output_height) {
        row += stride * static_cast<int64_t>(jpeg_read_scanlines(&info_, &row, 1));
      }
      jpeg_finish_decompress(&info_);
    });
  }

 private:
  static JpegReader* self(j_common_ptr info) { return static_cast<JpegReader*>(info->client_data); }

  // Warnings after which libjpeg would fill in gray; the others (a stray byte, an unknown version) lose nothing.
  static bool loses_pixels(int code) {
    return code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_MUST_RESYNC ||
           code == JWRN_ARITH_BAD_CODE || code == JWRN_BOGUS_PROGRESSION;
  }

  [[noreturn]] void give_up(j_common_ptr info) {
    truncated_ = info->err->msg_code == JWRN_JPEG_EOF;
    info->err->format_message(info, reason_);
    std::longjmp(jump_, 1);
  }

  template <class Body>
  void run(const Body& body) {
    if (setjmp(jump_) == 0) {
      body();
      return;
    }
    jpeg_destroy_decompress(&info_);  // harmless a second time; needed when the constructor throws
    fail(source_, truncated_ ? fmt::format("got a truncated JPEG: {}; copy or download it again", reason_)
                             : fmt::format("got a damaged JPEG: {}; expected a whole one", reason_));
  }

  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_;
  char reason_[JMSG_LENGTH_MAX] = "";
  bool truncated_ = false;
  std::string_view source_;
};

}  // namespace

bool is_jpeg(std::string_view bytes) { return bytes.starts_with("\xFF\xD8\xFF"); }

ImageInfo jpeg_info(std::string_view bytes, std::string_view source, const DecodeLimits& limits) {
  return JpegReader(bytes, source).info(limits);
}

Image decode_jpeg(std::string_view bytes, std::string_view source, const DecodeLimits& limits) {
  JpegReader reader(bytes, source);
  const ImageInfo info = reader.info(limits);
  Image image{info.height, info.width, info.channels,
              std::vector<uint8_t>(static_cast<size_t>(info.height * info.width * info.channels))};
  reader.read(image);
  return image;
}

}  // namespace danlu::data::codec
