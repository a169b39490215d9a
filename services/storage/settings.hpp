// The configuration of vigia-storage (README.md lists the keys).
#pragma once

#include <string>

#include "libs/base/duration.hpp"
#include "libs/service/config.hpp"
#include "services/storage/store_kinds.hpp"

namespace vigia::storage {

/// How long each kind is kept; 0: for ever.
struct RetentionSettings {
  Duration raw = std::chrono::hours(24 * 400);
  Duration rollup_5m = std::chrono::hours(24 * 730);
  Duration rollup_1h = std::chrono::hours(24 * 730);
  Duration rollup_1d = std::chrono::hours(24 * 730);
  Duration traces = std::chrono::hours(24 * 30);
  Duration logs = std::chrono::hours(24 * 30);
  Duration interval = std::chrono::minutes(10);  ///< how often what is too old is looked for
};

struct Settings {
  std::string listen = "127.0.0.1:9096";
  std::string metrics_listen = "127.0.0.1:9196";
  std::string internal_token;
  StoreSettings store;
  std::string known_file;        ///< which store was here; empty: beside its directory
  bool may_create_store = true;  ///< where the directory is empty and no store is known
  std::uint64_t log_bytes_max = 10ULL << 30U;
  /// Of the process; buffers, waiting requests and answers take their shares of it.
  std::uint64_t memory_max = 1ULL << 30U;
  RetentionSettings retention;
};

/// Reads all keys and calls ConfigFile::finish. kInvalid with file, line and key.
Result<Settings> read_settings(const service::ConfigFile& file);

/// The keys with their defaults, for --help.
std::string settings_help();

}  // namespace vigia::storage
