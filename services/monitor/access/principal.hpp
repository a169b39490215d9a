// Who calls, as far as the REST interface has to know.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libs/model/ids.hpp"

namespace vigia::monitor::access {

/// Found once per request from the cookie or the bearer token; nothing later changes it.
struct Principal {
  std::string user_id;                 ///< "" for a bearer token
  std::string name;                    ///< "user:admin", "token:grafana": for the audit log
  std::optional<CustomerId> customer;  ///< nothing: an operator
  std::string session_id;              ///< "" for a bearer token
  std::string csrf_token;              ///< "" for a bearer token
  bool may_change = true;              ///< false for a token that only reads
  std::int64_t expires_ms = 0;         ///< 0: never
  std::int64_t idle_expires_ms = 0;

  bool is_operator() const { return !customer.has_value(); }
  bool is_session() const { return !session_id.empty(); }
};

}  // namespace vigia::monitor::access
