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
  std::string cache_file;  ///< last good snapshot of the url, mode 0600; used at start while the
                           ///< monitor is down
  Duration refresh_interval =
      std::chrono::seconds(1);  ///< so that a revoked token is refused within 5 s
};

/// Reads {file: …} or {url: …, token: …, cache_file: …}; notes an error where both or none is
/// given.
DirectorySettings read_directory_settings(const service::ConfigNode& node);

/// Thread contract: `current` from any thread; one thread of its own refreshes. A refresh that
/// fails keeps what is there and is counted; nothing was ever loaded means `current` is null:
/// answer kUnavailable, not kUnauthenticated.
class DirectorySource {
 public:
  /// kInvalid where the file cannot be read or is wrong at start. A url that does not answer is no
  /// error.
  static Result<std::unique_ptr<DirectorySource>> start(DirectorySettings settings,
                                                        net::Client& client);
  virtual ~DirectorySource() = default;
  virtual std::shared_ptr<const Directory> current() const = 0;
  virtual std::uint64_t refresh_failures() const = 0;
  /// Seconds since the directory was last known to be true; for own metrics.
  virtual double age_seconds() const = 0;
};

}  // namespace vigia::tenancy
