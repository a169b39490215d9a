// Who asks, and whose data that opens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/sample.hpp"
#include "libs/net/message.hpp"
#include "libs/tenancy/directory_source.hpp"

namespace vigia::router::access {

struct Caller {
  std::optional<CustomerId> customer;  ///< every answer stays inside it; none: an operator, all
  std::string hot_shard;               ///< the customer's; empty where there is none or unknown
  TimestampMs assigned_ms = 0;         ///< since when that shard holds the customer
  std::uint64_t active_series = 0;     ///< that the customer may have at once; 0: no limit, unknown
};

/// Tells callers by their token alone, sent as a bearer token or as the password of HTTP Basic. Any
/// thread.
class Access {
 public:
  /// Both must outlive it.
  Access(const tenancy::DirectorySource& directory, const Clock& clock)
      : directory_(directory), clock_(clock) {}

  /// kUnauthenticated (no token, unknown, expired), kForbidden (an ingest token), kInvalid (two
  /// Authorization or X-Vigia-Customer headers, a bad customer), kUnavailable (no directory yet).
  /// X-Vigia-Customer counts for operators only; a customer's is not even looked at.
  Result<Caller> identify(const net::RequestHead& head) const;

 private:
  Result<void> narrow(const net::RequestHead& head, Caller& caller) const;

  const tenancy::DirectorySource& directory_;
  const Clock& clock_;
};

}  // namespace vigia::router::access
