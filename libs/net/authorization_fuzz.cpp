// Any bytes as an Authorization header: a token of it is one that a header can carry, and the same
// header made of it gives it again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/check.hpp"
#include "libs/net/basic_auth.hpp"
#include "libs/net/bearer_token.hpp"
#include "libs/net/media_type.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace net = vigia::net;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto token = net::bearer_token(text)) {
    CHECK(net::is_token68(*token));
    CHECK(token->data() >= text.data());
    CHECK(token->data() + token->size() <= text.data() + text.size());
    const std::string header = "Bearer " + std::string(*token);
    CHECK(net::bearer_token(header) == *token);
  }
  if (const auto password = net::basic_password(text)) CHECK(!password->empty());
  const net::MediaType type(text);
  CHECK(type.type().size() <= size);
  return 0;
}
