#include "libs/net/internal/http1_head.hpp"

namespace vigia::net::internal {

std::optional<Error> check_http1_head(const RequestHead& head, int version, bool is_chunked) {
  // Anything that another reader could frame differently is refused (RFC 9112 §6.3).
  const Headers& headers = head.headers;
  if (headers.count("content-length") > 1 || headers.count("transfer-encoding") > 1 ||
      (headers.count("content-length") == 1 && headers.count("transfer-encoding") == 1)) {
    return Error{ErrorCode::kInvalid, "the body's length is given twice"};
  }
  // "+5" and "5, 5" are lengths to some readers.
  if (headers.get("content-length").find_first_not_of("0123456789") != std::string_view::npos) {
    return Error{ErrorCode::kInvalid, "the body's length is not a number"};
  }
  if (headers.count("transfer-encoding") == 1 && !is_chunked) {
    return Error{ErrorCode::kInvalid, "the only transfer-encoding taken is chunked"};
  }
  // "gzip, chunked" is chunked to Beast, and the gzip would be left to the handler.
  if (const auto encoding = headers.get("transfer-encoding");
      !encoding.empty() && encoding.size() != std::string_view("chunked").size()) {
    return Error{ErrorCode::kInvalid, "the only transfer-encoding taken is chunked"};
  }
  if (version < 11 && headers.count("transfer-encoding") > 0) {
    return Error{ErrorCode::kInvalid, "HTTP/1.0 has no transfer-encoding"};
  }
  if (version >= 11 && headers.count("host") != 1) {
    return Error{ErrorCode::kInvalid, "exactly one Host header is needed"};
  }
  if (!head.path.starts_with('/')) {
    return Error{ErrorCode::kInvalid, "the path must begin with a slash"};
  }
  return std::nullopt;
}

}  // namespace vigia::net::internal
