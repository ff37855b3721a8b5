// The bytes of a text file that is about to be parsed: checked once, so that parsers need not check again.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "danlu/base/files.h"

namespace danlu::data {

// The file as text, unpacked if gzipped. Throws FileError.
std::string read_text(const fs::path& path);

// Takes the text over and checks it: UTF-8, no NUL byte, not empty. Throws DataError naming source, line and column. A
// byte order mark at the start stays; skip_bom() passes over it.
std::shared_ptr<std::string> check_text(std::string text, const std::string& source, std::string_view where);

size_t skip_bom(std::string_view text);

// "file:line:column" of a byte, both from 1; columns count characters.
std::string place_of(std::string_view text, size_t offset, const std::string& source);

// `text` for a message: quoted, cut after 40 bytes on a character boundary.
std::string shown(std::string_view text);

}  // namespace danlu::data
