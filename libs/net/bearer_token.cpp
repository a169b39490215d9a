#include "libs/net/bearer_token.hpp"

#include <algorithm>

namespace vigia::net {
namespace {

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool begins_with_scheme(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  return authorization.size() > kScheme.size() &&
         std::equal(kScheme.begin(), kScheme.end(), authorization.begin(),
                    [](char wanted, char given) { return wanted == lower(given); });
}

}  // namespace

bool is_token68(std::string_view text) {
  constexpr std::string_view kOthers = "-._~+/";
  while (text.ends_with('=')) text.remove_suffix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), [=](char c) {
    return is_letter(c) || is_digit(c) || kOthers.find(c) != std::string_view::npos;
  });
}

Result<std::string_view> bearer_token(std::string_view authorization) {
  if (begins_with_scheme(authorization)) {
    std::string_view token = authorization.substr(authorization.find(' '));
    while (token.starts_with(' ')) token.remove_prefix(1);
    while (token.ends_with(' ')) token.remove_suffix(1);
    if (is_token68(token)) return token;
  }
  return fail(ErrorCode::kUnauthenticated, "an \"Authorization: Bearer TOKEN\" header is needed");
}

}  // namespace vigia::net
