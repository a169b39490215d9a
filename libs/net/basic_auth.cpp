#include "libs/net/basic_auth.hpp"

#include <algorithm>

#include "libs/base/base64.hpp"

namespace vigia::net {

std::optional<std::string> basic_password(std::string_view authorization) {
  constexpr std::string_view kScheme = "basic ";
  const bool is_basic =
      authorization.size() > kScheme.size() &&
      std::equal(kScheme.begin(), kScheme.end(), authorization.begin(), [](char wanted, char sent) {
        return wanted == (sent >= 'A' && sent <= 'Z' ? static_cast<char>(sent + 32) : sent);
      });
  if (!is_basic) return std::nullopt;
  const auto pair = from_base64(authorization.substr(kScheme.size()));
  if (!pair) return std::nullopt;
  const std::size_t colon = pair->find(':');
  if (colon == std::string::npos || colon + 1 == pair->size()) return std::nullopt;
  return pair->substr(colon + 1);
}

}  // namespace vigia::net
