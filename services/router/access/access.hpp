// Who may ask at all.
#pragma once

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/net/message.hpp"
#include "libs/tenancy/directory_source.hpp"
#include "services/router/access/caller.hpp"

namespace vigia::router::access {

/// Tells callers by their token alone, sent as a bearer token or as the password of HTTP Basic. Any
/// thread.
class Access {
 public:
  /// Both must outlive it. `limits`: of whoever has none of its own.
  Access(const tenancy::DirectorySource& directory, const Clock& clock, QueryLimits limits = {})
      : directory_(directory), clock_(clock), limits_(limits) {}

  /// kUnauthenticated (no token, unknown, expired), kForbidden (an ingest token), kInvalid (two
  /// Authorization or X-Vigia-Customer headers, a bad customer), kUnavailable (no directory yet).
  /// X-Vigia-Customer counts for operators only; a customer's is not even looked at.
  Result<Caller> identify(const net::RequestHead& head) const;

 private:
  Result<void> narrow(const net::RequestHead& head, Caller& caller) const;

  const tenancy::DirectorySource& directory_;
  const Clock& clock_;
  const QueryLimits limits_;
};

}  // namespace vigia::router::access
