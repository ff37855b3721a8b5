// Documents out of text files, one at a time, in bounded memory.
//
//   TextSource source({"corpus/**/*.txt", "more.jsonl.gz"}, {});
//   Document document;
//   while (source.next(document)) use(document.text);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "danlu/base/options.h"
#include "danlu/data/text/line_reader.h"

namespace danlu::data {

struct TextSourceOptions {
  std::string documents = "file";  // how .txt files are divided; .jsonl files hold a document a line
  std::string separator = "%";
  std::string field = "text";
  std::string invalid_utf8 = "replace";
  int64_t piece_bytes = 8 << 20;

  void describe(OptionVisitor& v);
};

struct Document {
  std::string text;
  std::string place;  // "file:line" where the text begins
  // A document larger than piece_bytes comes in pieces, cut at the ends of lines: only the last one ends it.
  bool first = true, last = true;
};

// The files that the words of a user name, in order, each once: a file, a directory (all text files below it, those whose
// names begin with a dot apart), or a pattern: * and ? stand for characters of a name, ** also for directories. Text files
// are .txt, .text, .md, .jsonl, .ndjson, and names without a dot; all but the latter also with .gz behind.
// Throws FileError for a name without a file and for a pattern or a directory without text files.
std::vector<fs::path> find_text_files(const std::vector<std::string>& names);

// Threads: one at a time.
class TextSource {
 public:
  // Throws FileError, and ConfigError for options out of range.
  TextSource(const std::vector<std::string>& names, const TextSourceOptions& options);
  ~TextSource();

  // False at the end. Documents of white space alone are passed over. Errors are DataError and begin with file:line; after
  // an error the source goes on with the next line of a .jsonl file.
  bool next(Document& document);
  void rewind();

  const std::vector<fs::path>& files() const { return files_; }
  int64_t files_read() const { return static_cast<int64_t>(file_); }  // to their ends
  int64_t documents() const { return documents_; }
  int64_t bytes() const { return bytes_; }  // of the documents so far
  int64_t replaced() const;                 // lines with bytes that were not UTF-8

 private:
  bool open_next();
  bool next_of_text(Document& document);
  bool next_of_json_lines(Document& document);
  bool ends_document(std::string_view line, bool& belongs) const;
  std::string text_of_json(std::string_view line) const;

  TextSourceOptions options_;
  InvalidUtf8 invalid_;
  std::vector<fs::path> files_;
  size_t file_ = 0;
  bool json_lines_ = false;
  std::unique_ptr<LineReader> lines_;
  std::string held_;  // a line read that belongs to the next piece
  bool held_ends_ = false, in_document_ = false;
  int64_t documents_ = 0, bytes_ = 0, replaced_ = 0;
};

}  // namespace danlu::data
