// The little of SQL that the registry needs, whichever server or library runs it.
//
// Statements are written once, in the words that SQLite and PostgreSQL share, with parameters $1, $2, ...; they are prepared at
// their first use and kept. Where the two differ in a word, the database says its own: see words().
//
// Errors   FileError     cannot be opened, read or written: no such server, a full disk, another writer that does not let go
//          DamagedDatabase   a file that is no database, or no longer
// Threads  one at a time. Several processes may work on one database: transactions wait for each other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/learn/registry/location.h"

namespace danlu::registry {

class DamagedDatabase : public DataError { using DataError::DataError; };
// A transaction that was undone because of another one, and may be tried again.
class Conflict : public FileError { using FileError::FileError; };

using Value = std::variant<std::monostate, int64_t, double, std::string>;  // monostate: NULL; a NaN is stored as NULL too

// A row of an answer. Columns count from 0; texts live until the next row.
class Row {
 public:
  virtual ~Row() = default;
  virtual bool is_null(int column) const = 0;
  virtual int64_t integer(int column) const = 0;
  virtual double number(int column) const = 0;  // NaN for NULL
  virtual std::string_view text(int column) const = 0;  // empty for NULL
};

using OnRow = std::function<void(const Row&)>;

// Words of a schema that differ.
struct Words {
  const char* identity;   // the type of a key that numbers itself
  const char* clustered;  // after a table that is stored in the order of its primary key
};

class Database {
 public:
  virtual ~Database() = default;

  virtual Words words() const = 0;
  virtual bool has_table(const std::string& name) = 0;
  // No table at all, of anybody.
  virtual bool is_empty() = 0;
  // Runs one statement.
  virtual void execute(const std::string& sql, const std::vector<Value>& parameters = {}, const OnRow& on_row = {}) = 0;
  // Runs `work` as one transaction: all of it or nothing is there afterwards. Tried again when it conflicts with another.
  void atomically(const std::function<void()>& work);
  // Runs `work`, which only reads, on one state of the database, whatever others write meanwhile.
  void reading(const std::function<void()>& work);
  // Nobody else changes the schema until the end of this transaction.
  virtual void lock_schema() = 0;

 protected:
  virtual void begin_writing() = 0;
  virtual void begin_reading() = 0;
  virtual void commit() = 0;
  virtual void rollback() noexcept = 0;
};

std::unique_ptr<Database> open_sqlite(const Location& location);
// ConfigError in a program that was built without libpq.
std::unique_ptr<Database> open_postgresql(const Location& location);

}  // namespace danlu::registry
