// SQLite: one file, and while somebody works on it a -wal and a -shm beside it. Readers never wait; a writer waits for the one
// before it. The file is not synced at every transaction: after a power cut it may lack the newest, and is whole.
#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "danlu/base/files.h"
#include "danlu/base/format.h"
#include "danlu/learn/registry/database.h"

namespace danlu::registry {
namespace {

constexpr const char* kWhere = "learn.registry";
constexpr int kPatience_ms = 30000;  // for another writer

struct Closer {
  void operator()(sqlite3* handle) const { sqlite3_close(handle); }
};
struct Finalizer {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

class SqliteRow : public Row {
 public:
  explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}
  bool is_null(int column) const override { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  int64_t integer(int column) const override { return sqlite3_column_int64(statement_, column); }
  double number(int column) const override { return is_null(column) ? std::nan("") : sqlite3_column_double(statement_, column); }
  std::string_view text(int column) const override {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return bytes == nullptr ? std::string_view() : std::string_view(bytes, static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
  }

 private:
  sqlite3_stmt* statement_;
};

class SqliteDatabase : public Database {
 public:
  explicit SqliteDatabase(const std::string& path) : path_(path) {
    const fs::path parent = fs::path(path).parent_path();
    if (path != ":memory:" && !parent.empty()) make_directories(parent);
    sqlite3* handle = nullptr;
    const int opened = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    handle_.reset(handle);  // there is one after a failure too
    check(opened);
    check(sqlite3_extended_result_codes(handle, 1));
    check(sqlite3_busy_timeout(handle, kPatience_ms));
    execute("PRAGMA foreign_keys = ON");
    execute("PRAGMA synchronous = NORMAL");
    use_write_ahead_log();
  }

  Words words() const override { return {"INTEGER PRIMARY KEY", "WITHOUT ROWID"}; }

  bool has_table(const std::string& name) override {
    bool found = false;
    execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1", {name}, [&](const Row&) { found = true; });
    return found;
  }

  bool is_empty() override {
    bool empty = true;
    execute("SELECT 1 FROM sqlite_master LIMIT 1", {}, [&](const Row&) { empty = false; });
    return empty;
  }

  void execute(const std::string& sql, const std::vector<Value>& parameters, const OnRow& on_row) override {
    sqlite3_stmt* statement = prepare(sql);
    const Reset reset{statement};
    for (size_t i = 0; i < parameters.size(); ++i) bind(statement, static_cast<int>(i) + 1, parameters[i]);
    const SqliteRow row(statement);
    for (int result = sqlite3_step(statement); result != SQLITE_DONE; result = sqlite3_step(statement)) {
      if (result != SQLITE_ROW) check(result);
      if (on_row) on_row(row);
    }
  }
  using Database::execute;
  void execute(const std::string& sql) { execute(sql, {}, {}); }

  void lock_schema() override {}  // a transaction is the only one that writes

 protected:
  void begin_writing() override { execute("BEGIN IMMEDIATE"); }
  void begin_reading() override { execute("BEGIN"); }
  void commit() override { execute("COMMIT"); }
  void rollback() noexcept override {
    if (sqlite3_get_autocommit(handle_.get()) == 0) sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }

 private:
  struct Reset {
    sqlite3_stmt* statement;
    ~Reset() {
      sqlite3_reset(statement);
      sqlite3_clear_bindings(statement);
    }
  };

  // Two processes that do this to a new file at once would fail each other, without waiting. What the file says is kept in it, so
  // that the loser finds it done.
  void use_write_ahead_log() {
    for (int attempt = 0; attempt < 100; ++attempt) {
      std::string mode;
      execute("PRAGMA journal_mode", {}, [&](const Row& row) { mode = row.text(0); });
      if (mode == "wal" || mode == "memory") return;
      if (sqlite3_exec(handle_.get(), "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr) != SQLITE_BUSY) return;  // or it cannot be had
      sqlite3_sleep(10);
    }
  }

  sqlite3_stmt* prepare(const std::string& sql) {
    std::unique_ptr<sqlite3_stmt, Finalizer>& kept = statements_[sql];
    if (kept == nullptr) {
      std::string text = sql;
      std::replace(text.begin(), text.end(), '$', '?');  // ?1 is the first parameter wherever it stands; $1 would be a name
      sqlite3_stmt* statement = nullptr;
      check(sqlite3_prepare_v2(handle_.get(), text.c_str(), static_cast<int>(text.size()), &statement, nullptr));
      kept.reset(statement);
    }
    return kept.get();
  }

  void bind(sqlite3_stmt* statement, int index, const Value& value) {
    if (const auto* integer = std::get_if<int64_t>(&value)) check(sqlite3_bind_int64(statement, index, *integer));
    if (const auto* number = std::get_if<double>(&value)) check(sqlite3_bind_double(statement, index, *number));
    if (const auto* text = std::get_if<std::string>(&value)) {
      check(sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8));
    }
  }

  void check(int result) {
    if (result == SQLITE_OK) return;
    std::string reason = handle_ == nullptr ? sqlite3_errstr(result) : sqlite3_errmsg(handle_.get());
    const int system = handle_ == nullptr ? 0 : sqlite3_system_errno(handle_.get());
    const int kind = result & 0xff;  // without the details
    if (system != 0 && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN)) reason += fmt::format(" ({})", std::strerror(system));
    const std::string message = fmt::format("{}: {}", path_, reason);
    switch (kind) {
      case SQLITE_NOTADB:
      case SQLITE_CORRUPT: throw DamagedDatabase(kWhere, message);
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        throw FileError(kWhere, fmt::format("{}: another process has been writing for {} s", path_, kPatience_ms / 1000));
      case SQLITE_ERROR:
      case SQLITE_MISUSE:
      case SQLITE_RANGE: throw InternalError(kWhere, message);
      default: throw FileError(kWhere, message);
    }
  }

  std::string path_;
  std::unique_ptr<sqlite3, Closer> handle_;
  std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalizer>> statements_;
};

}  // namespace

std::unique_ptr<Database> open_sqlite(const Location& location) { return std::make_unique<SqliteDatabase>(location.secret_text()); }

}  // namespace danlu::registry
