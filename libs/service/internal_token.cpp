#include "libs/service/internal_token.hpp"

#include "libs/base/hex.hpp"
#include "libs/net/bearer_token.hpp"

namespace vigia::service {

bool InternalToken::is_shown_by(const net::RequestHead& head) const {
  const auto given = net::bearer_token(head.headers.get("authorization"));
  return head.headers.count("authorization") == 1 && given && equal_constant_time(*given, token_);
}

std::string read_bearer_token(const ConfigNode& node, bool is_required) {
  std::string token = is_required ? node.required_text() : node.text();
  if (!token.empty() && !net::is_token68(token))
    node.note_error("may hold letters, digits and -._~+/ alone, with = at its end");
  return token;
}

}  // namespace vigia::service
