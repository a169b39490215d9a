#include "libs/cassandra/failure_codes.hpp"

#include <utility>

#include "shims/cassandra/vigia_cassandra.h"

namespace vigia::cassandra {
namespace {

ErrorCode code_of(std::uint32_t code) {
  switch (code) {
    case VIGIA_CASSANDRA_INVALID:
    case VIGIA_CASSANDRA_EXISTS:
      return ErrorCode::kInvalid;
    case VIGIA_CASSANDRA_UNAUTHENTICATED:
      return ErrorCode::kUnauthenticated;
    case VIGIA_CASSANDRA_FORBIDDEN:
      return ErrorCode::kForbidden;
    case VIGIA_CASSANDRA_UNAVAILABLE:
      return ErrorCode::kUnavailable;
    case VIGIA_CASSANDRA_DEADLINE:
      return ErrorCode::kDeadline;
    case VIGIA_CASSANDRA_CORRUPT:
      return ErrorCode::kCorrupt;
    default:
      return ErrorCode::kInternal;
  }
}

}  // namespace

Error error_of(std::uint32_t code, std::string message) {
  return with_context("Cassandra", {code_of(code), std::move(message), std::nullopt});
}

}  // namespace vigia::cassandra
