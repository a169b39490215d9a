// The token by which our own services know one another.
#pragma once

#include <string>

#include "libs/net/message.hpp"
#include "libs/service/config.hpp"

namespace vigia::service {

/// Thread contract: any thread.
class InternalToken {
 public:
  explicit InternalToken(std::string token) : token_(std::move(token)) {}
  /// Whether the request carries exactly one Authorization header, with the token as a bearer's.
  /// Takes as long for a wrong token as for the right one.
  bool is_shown_by(const net::RequestHead& head) const;

 private:
  std::string token_;
};

/// A token that others are to show, or that we show them; "" where it is absent. Notes an error
/// about one that no Authorization header carries.
std::string read_bearer_token(const ConfigNode& node, bool is_required);

}  // namespace vigia::service
