// The token by which our own services know one another.
#pragma once

#include <string>

#include "libs/net/message.hpp"

namespace vigia::service {

/// Thread contract: any thread.
class InternalToken {
 public:
  explicit InternalToken(std::string token) : token_(std::move(token)) {}
  /// Whether the request carries exactly one Authorization header, "Bearer " and the token. Takes
  /// as long for a wrong token as for the right one.
  bool is_shown_by(const net::RequestHead& head) const;

 private:
  std::string token_;
};

}  // namespace vigia::service
