// What Jaeger's API is asked, as storage takes it.
#pragma once

#include <string>

#include "libs/base/result.hpp"
#include "libs/model/sample.hpp"
#include "services/router/access/query_limits.hpp"
#include "services/router/request/parameters.hpp"

namespace vigia::router::api::jaeger {

/// As many names as Jaeger's own stores list.
inline constexpr std::size_t kNamesMax = 10'000;
inline constexpr std::size_t kTracesDefault = 20;
inline constexpr std::size_t kTracesMax = 1'000;  ///< as storage
inline constexpr std::size_t kTagsMax = 64;       ///< as storage

/// Storage is told the customer by the header that its Upstream sets, never by the form.
struct ColdSearch {
  std::string path;
  request::Form form;
  TimestampMs start_ms = 0;  ///< 0: from the first on
  /// The caller said how many; else that there are more is worth a word.
  bool has_own_limit = false;
  /// Nobody named a begin, and the limits' range is shorter than the look-back that is usual.
  bool is_cut_off = false;
};

// Those that have times take no longer ones than the limits' range, which also is what a look-back
// that nobody named is at the most: access::over_limit's error. All of these: kInvalid, with the
// parameter's name and what is wrong with it. An empty parameter is as none, one that is not named
// here is passed over, as by Jaeger.

/// /services.
ColdSearch services_search();

/// /operations of a service: `spanKind` internal, server, client, producer or consumer.
Result<ColdSearch> operations_search(const std::string& service, const std::string& span_kind);

/// /traces: `service`, which is required; `operation`; `tags`, JSON of texts by name, and `tag`,
/// name:text, both repeated as one likes: one span has all of them; `minDuration`, `maxDuration`,
/// as Go writes them, 0 for none; `start`, `end` in microseconds since 1970, to the millisecond;
/// without `end` it is `now_ms`, without `start` `lookback` before the end ("1h", "2d"; without it
/// 2 days); `limit`, 1 to kTracesMax, without it kTracesDefault.
Result<ColdSearch> traces_search(const request::Parameters& parameters, TimestampMs now_ms,
                                 const access::QueryLimits& limits = {});

/// /dependencies: `endTs`, in milliseconds since 1970, without it `now_ms`; `lookback` before it,
/// in milliseconds, without it a day; `service`: calls from it and to it alone.
Result<ColdSearch> dependencies_search(const request::Parameters& parameters, TimestampMs now_ms,
                                       const access::QueryLimits& limits = {});

}  // namespace vigia::router::api::jaeger
