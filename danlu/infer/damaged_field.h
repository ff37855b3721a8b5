// For tests of bundles from anywhere: one field of a file after the other is set to what it must not be.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/base/files.h"
#include "danlu/base/json.h"

namespace danlu::infer {

struct DamagedField {
  const char* file;
  const char* pointer;  // RFC 6901; the field that is set
  Json value;           // discarded: the field is taken out
  const char* words;    // of the message, beside the file's name
  const char* named = nullptr;  // the file that the message names, if another
};
inline const Json kTakenOut = Json(Json::value_t::discarded);

// Opens the bundle with one field wrong at a time, and expects a DataError that names the file. The files are as before afterwards.
template <class Open>
void expect_refused(const fs::path& directory, const std::vector<DamagedField>& fields, const Open& open) {
  for (const DamagedField& field : fields) {
    SCOPED_TRACE(std::string(field.file) + " " + field.pointer + " = " + (field.value.is_discarded() ? "nothing" : to_line(field.value)));
    const fs::path path = directory / field.file;
    const std::string whole = read_file(path);
    Json json = parse_json(whole, field.file);
    const Json::json_pointer pointer(field.pointer);
    if (field.value.is_discarded()) json.at(pointer.parent_pointer()).erase(pointer.back());
    else json[pointer] = field.value;
    write_json(path, json);
    try {
      open();
      ADD_FAILURE() << "not refused";
    } catch (const DataError& error) {
      EXPECT_THAT(error.message(), testing::HasSubstr((directory / (field.named != nullptr ? field.named : field.file)).string()));
      EXPECT_THAT(error.message(), testing::HasSubstr(field.words));
    }
    write_file_atomic(path, whole);
  }
  for (const char* file : {"config.json", "preprocess.json", "model.safetensors"}) {
    const std::string whole = read_file(directory / file);
    write_file_atomic(directory / file, whole.substr(0, whole.size() - 3));
    EXPECT_THAT(open, testing::ThrowsMessage<DataError>(testing::HasSubstr((directory / file).string()))) << "cut short";
    fs::remove(directory / file);
    EXPECT_THAT(open, testing::ThrowsMessage<FileError>(testing::AllOf(testing::HasSubstr(directory.string()), testing::HasSubstr(file)))) << "gone";
    write_file_atomic(directory / file, whole);
  }
  EXPECT_NO_THROW(open());
}

}  // namespace danlu::infer
