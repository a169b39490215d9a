#include "services/monitor/store/sqlite_file.hpp"

#include <algorithm>
#include <charconv>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vigia::monitor::store {
namespace {

constexpr std::string_view kPrefix = "monitor-";
constexpr std::string_view kSuffix = ".db";
constexpr mode_t kPrivateFile = 0600;
constexpr int kBusyMs = 10'000;
/// Pages a step: others may write between two of them.
constexpr int kPagesPerStep = 1024;

struct Closing {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Handle = std::unique_ptr<sqlite3, Closing>;

Result<Handle> open_handle(const std::string& path, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Handle handle(raw);
  if (code != SQLITE_OK) {
    return fail(ErrorCode::kUnavailable, fmt::format("{}: {}", path, sqlite3_errstr(code)));
  }
  sqlite3_busy_timeout(raw, kBusyMs);
  return handle;
}

/// The first row's first column; what goes wrong is what the caller wants to know as well.
std::string first_text(sqlite3* database, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(database, sql, -1, &raw, nullptr) != SQLITE_OK) {
    return sqlite3_errmsg(database);
  }
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw, sqlite3_finalize);
  if (sqlite3_step(raw) != SQLITE_ROW) return sqlite3_errmsg(database);
  const auto* text = sqlite3_column_text(raw, 0);
  return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

bool is_empty_or_missing(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) != 0 || status.st_size == 0;
}

Result<void> copy_all(sqlite3* from, sqlite3* to) {
  sqlite3_backup* backup = sqlite3_backup_init(to, "main", from, "main");
  if (backup == nullptr) return fail(ErrorCode::kUnavailable, sqlite3_errmsg(to));
  int code = SQLITE_OK;
  while (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED) {
    code = sqlite3_backup_step(backup, kPagesPerStep);
    // A write between two steps makes SQLite begin the copy anew; it ends all the same, since
    // writes here are rare and short against a step.
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) sqlite3_sleep(10);
  }
  const int finished = sqlite3_backup_finish(backup);
  if (code == SQLITE_DONE && finished == SQLITE_OK) return {};
  return fail(ErrorCode::kUnavailable, sqlite3_errstr(code == SQLITE_DONE ? finished : code));
}

/// Into a file of its own without journal, so that the copy is one file.
Result<void> copy_database(const std::string& from_path, const std::string& to_path) {
  const int made = ::open(to_path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, kPrivateFile);
  if (made < 0) return fail(ErrorCode::kUnavailable, to_path + ": cannot be created");
  ::close(made);
  auto from = open_handle(from_path, SQLITE_OPEN_READWRITE);
  if (!from) return forward(from);
  auto to = open_handle(to_path, SQLITE_OPEN_READWRITE);
  if (!to) return forward(to);
  auto copied = copy_all(from->get(), to->get());
  if (!copied) return tl::unexpected<Error>(with_context(to_path, std::move(copied.error())));
  static_cast<void>(first_text(to->get(), "PRAGMA journal_mode=DELETE"));
  return {};
}

// The name is a part of the folder: without its own sync a file that was renamed may be gone after
// a power loss, though its content was synced.
Result<void> sync_path(const std::string& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC);
  const bool is_good = file >= 0 && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  if (!is_good) return fail(ErrorCode::kUnavailable, path + ": cannot be made durable");
  return {};
}

/// A finished file gets its name, durably.
Result<void> rename_durably(const std::string& from, const std::string& to) {
  auto synced = sync_path(from, O_RDONLY);
  if (!synced) return synced;
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    return fail(ErrorCode::kUnavailable, to + ": cannot be renamed");
  }
  return sync_path(std::filesystem::path(to).parent_path().string(), O_RDONLY | O_DIRECTORY);
}

/// NNNNNN of monitor-NNNNNN.db; 0 for another file.
std::uint64_t number_of(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return 0;
  std::uint64_t number = 0;
  const char* end = name.data() + name.size() - kSuffix.size();
  const auto read = std::from_chars(name.data() + kPrefix.size(), end, number);
  return read.ec == std::errc() && read.ptr == end ? number : 0;
}

}  // namespace

Result<void> check_sqlite_file(const std::string& path) {
  if (is_empty_or_missing(path) && is_empty_or_missing(path + "-wal")) return {};
  auto handle = open_handle(path, SQLITE_OPEN_READWRITE);
  if (!handle) return forward(handle);
  const std::string found = first_text(handle->get(), "PRAGMA integrity_check(1)");
  if (found == "ok") return {};
  return fail(ErrorCode::kCorrupt, fmt::format("{} is damaged: {}", path, found));
}

std::vector<std::filesystem::path> list_backups(const std::string& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (number_of(entry.path()) > 0) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end(),
            [](const auto& left, const auto& right) { return number_of(left) < number_of(right); });
  return found;
}

Result<std::string> back_up_sqlite(const std::string& path, const std::string& folder,
                                   std::size_t kept) {
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  auto there = list_backups(folder);
  const std::uint64_t number = there.empty() ? 1 : number_of(there.back()) + 1;
  const std::string target = fmt::format("{}/{}{:06}{}", folder, kPrefix, number, kSuffix);
  const std::string beside = folder + "/backup.new";
  auto copied = copy_database(path, beside);
  if (!copied) return forward(copied);
  // A copy is looked at before an older one goes for it: damage that was copied every hour would
  // else have replaced all good ones within two days.
  auto sound = check_sqlite_file(beside);
  if (!sound) return forward(sound);
  auto renamed = rename_durably(beside, target);
  if (!renamed) return forward(renamed);
  for (std::size_t i = 0; i + kept < there.size() + 1; ++i) {
    std::filesystem::remove(there[i], ignored);
  }
  return target;
}

Result<void> put_back_sqlite(const std::string& copy, const std::string& path,
                             const std::string& aside) {
  if (is_empty_or_missing(copy)) return fail(ErrorCode::kInvalid, copy + ": is not there");
  auto sound = check_sqlite_file(copy);
  if (!sound) return sound;
  const std::string beside = path + ".new";
  auto copied = copy_database(copy, beside);
  if (!copied) return copied;
  std::error_code ignored;
  std::filesystem::create_directories(aside, ignored);
  // The journals first: beside another database they would be taken for its own.
  for (const char* suffix : {"-wal", "-shm", "-journal", ""}) {
    const std::string name = path + suffix;
    if (::access(name.c_str(), F_OK) != 0) continue;
    const std::string away = aside + "/" + std::filesystem::path(name).filename().string();
    if (std::rename(name.c_str(), away.c_str()) != 0) {
      return fail(ErrorCode::kUnavailable, name + ": cannot be moved to " + aside);
    }
  }
  return rename_durably(beside, path);
}

}  // namespace vigia::monitor::store
