#include "libs/service/internal_token.hpp"

#include <string_view>

#include "libs/base/hex.hpp"

namespace vigia::service {

bool InternalToken::is_shown_by(const net::RequestHead& head) const {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view given = head.headers.get("authorization");
  return head.headers.count("authorization") == 1 && given.starts_with(kBearer) &&
         equal_constant_time(given.substr(kBearer.size()), token_);
}

}  // namespace vigia::service
