// Keeps the directory fresh: from a file that is watched, or from the monitor's snapshot URL.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/tenancy/directory.hpp"

namespace vigia::net {
class Client;
}
namespace vigia::service {
class ConfigNode;
}

namespace vigia::tenancy {

struct DirectorySettings {
  std::string file;        ///< customers.yaml; looked at every refresh_interval
  std::string url;         ///< or the snapshot of vigia-monitor, long-polled with ETag
  std::string token;       ///< internal token for the url
  std::string cache_file;  ///< last good snapshot of the url (kept_directory.hpp); used at start
                           ///< while the monitor is down
  Duration refresh_interval =
      std::chrono::seconds(1);  ///< so that a revoked token is refused within 5 s
  /// How long a directory that cannot be refreshed is gone by; after that nobody is known
  /// (kUnavailable). 0: for ever, so that ingest and reads outlive the monitor.
  Duration max_stale{0};
  /// How long a snapshot that is doubted (snapshot_doubt.hpp) is kept out, by the steady clock,
  /// where no person confirms it at the monitor. 0: it is taken at once, and said.
  Duration doubt_max = std::chrono::minutes(15);
};

/// Reads {file: …} or {url: …, token: …, cache_file: …}, refresh_interval, max_stale and
/// doubt_max; notes an error where both or none of file and url is given, and where the file cannot
/// be read.
DirectorySettings read_directory_settings(const service::ConfigNode& node);

/// Thread contract: `current` from any thread; one thread of its own refreshes. A refresh that
/// fails keeps what is there and is counted; nothing was ever loaded, or it is older than
/// max_stale, means `current` is null: answer kUnavailable, not kUnauthenticated.
class DirectorySource {
 public:
  /// kInvalid where the file cannot be read or is wrong at start. A url that does not answer is no
  /// error.
  static Result<std::unique_ptr<DirectorySource>> start(DirectorySettings settings,
                                                        net::Client& client);
  virtual ~DirectorySource() = default;
  virtual std::shared_ptr<const Directory> current() const = 0;
  virtual std::uint64_t refresh_failures() const = 0;
  /// Seconds since the directory was last known to be true, over a restart as well; for own
  /// metrics.
  virtual double age_seconds() const = 0;
  /// Not known to be true for kStaleAfter: what was revoked since is not known. Said in the log
  /// once, and to be shown where health is.
  bool is_stale() const { return age_seconds() > kStaleAfter.count(); }
  /// Writes of cache_file that failed; each is tried again until it is done.
  virtual std::uint64_t cache_failures() const = 0;
  /// Files of the cache that were damaged at start, and are not used.
  virtual std::uint64_t cache_damages() const = 0;
  /// The monitor's snapshot is doubted and kept out; the directory in force gets older.
  virtual bool is_doubted() const = 0;
  /// Customers and tokens that the directory in force leaves out, since they cannot be read.
  virtual std::uint64_t left_out() const = 0;

  /// The monitor answers a waiting request after 20 s at the latest, a file is looked at each
  /// second: so long a silence is no coincidence.
  static constexpr std::chrono::duration<double> kStaleAfter{120};
};

}  // namespace vigia::tenancy
