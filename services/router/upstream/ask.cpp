#include "services/router/upstream/ask.hpp"

#include <utility>

namespace vigia::router::upstream {
namespace {

constexpr std::chrono::seconds kRetryAfter{5};

}  // namespace

Error no_answer() {
  return {ErrorCode::kUnavailable,
          "a store does not answer, and the provider is told of it; ask again in a few seconds",
          kRetryAfter};
}

bool is_store_fault(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kCorrupt;
}

bool is_lost(const Error& error) { return error.code == ErrorCode::kInternal; }

Error outward(Error error) {
  if (is_store_fault(error) || is_lost(error)) error.code = ErrorCode::kUnavailable;
  return error;
}

}  // namespace vigia::router::upstream
