// Errors are values: what can fail returns Result<T>. Exceptions of third-party code are caught
// where it is wrapped.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

#include "libs/base/duration.hpp"

namespace vigia {

/// What went wrong, as far as a caller has to tell cases apart. HTTP and gRPC codes are mapped in
/// libs/net/status.hpp.
enum class ErrorCode {
  kInvalid,          ///< the input is wrong and will stay wrong
  kUnauthenticated,  ///< no token, or one that nobody knows
  kForbidden,        ///< a known caller asks for what it may not have
  kNotFound,
  kTooLarge,     ///< over a size limit; the same request will never pass
  kOverLimit,    ///< over a rate or quota; may pass later
  kUnavailable,  ///< a passing fault: down, busy, full; may pass later
  kDeadline,     ///< not done in the time given; may pass later
  kCorrupt,      ///< bytes on disk or on the wire do not hold what they should
  kInternal,     ///< a fault of our own
};

/// Name of a code in lower snake case, as logs and counters show it.
std::string_view to_string(ErrorCode code);

/// One failure. `message` is a sentence for a person: what happened, where, what to do.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::optional<Duration> retry_after = std::nullopt;  ///< how long the other side asked us to wait
};

template <typename T>
using Result = tl::expected<T, Error>;

/// True where the same request may succeed later (over_limit, unavailable, deadline). The only
/// place that decides it.
bool is_retryable(const Error& error);

/// `return fail(ErrorCode::kInvalid, "…");` from any function that returns a Result.
inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::nullopt});
}

/// Hands the error of one Result on as that of another: moved out of one that may be changed,
/// copied from any other.
template <typename T>
tl::unexpected<Error> forward(Result<T>& result) {
  return tl::unexpected<Error>(std::move(result.error()));
}
template <typename T>
tl::unexpected<Error> forward(const Result<T>& result) {
  return tl::unexpected<Error>(result.error());
}

/// The same error with `context` put before its message: "reading /etc/x: no such file".
Error with_context(std::string_view context, Error error);

}  // namespace vigia
