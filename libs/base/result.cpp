#include "libs/base/result.hpp"

#include <fmt/format.h>

namespace vigia {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return "invalid";
    case ErrorCode::kUnauthenticated:
      return "unauthenticated";
    case ErrorCode::kForbidden:
      return "forbidden";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kTooLarge:
      return "too_large";
    case ErrorCode::kOverLimit:
      return "over_limit";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kDeadline:
      return "deadline";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

// What time or another try can mend. A caller that repeats anything else repeats its failure.
bool is_retryable(const Error& error) {
  return error.code == ErrorCode::kOverLimit || error.code == ErrorCode::kUnavailable ||
         error.code == ErrorCode::kDeadline;
}

Error with_context(std::string_view context, Error error) {
  error.message = fmt::format("{}: {}", context, error.message);
  return error;
}

}  // namespace vigia
