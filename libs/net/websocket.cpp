#include "libs/net/websocket.hpp"

#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "libs/base/base64.hpp"
#include "libs/base/check.hpp"

namespace vigia::net {
namespace {

constexpr std::string_view kAcceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 §1.3
constexpr std::size_t kKeyBytes = 16;

bool equals_lower(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

/// Whether a comma-separated list has the word, whatever its case: browsers say
/// "keep-alive, Upgrade".
bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view part = list.substr(0, comma);
    part.remove_prefix(std::min(part.find_first_not_of(" \t"), part.size()));
    part = part.substr(0, part.find_last_not_of(" \t") + 1);
    if (equals_lower(part, word)) return true;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return false;
}

bool any_has_word(const Headers& headers, std::string_view name, std::string_view word) {
  return std::any_of(headers.begin(), headers.end(), [&](const Header& header) {
    return header.name == name && has_word(header.value, word);
  });
}

bool is_key(std::string_view key) {
  const auto bytes = from_base64(key);
  return bytes && bytes->size() == kKeyBytes;
}

bool has_body(const Headers& headers) {
  const std::string_view length = headers.get("content-length");
  return headers.count("transfer-encoding") > 0 || length.find_first_not_of('0') != length.npos;
}

WebSocketRefusal refused(int status, std::string why) {
  return {{ErrorCode::kInvalid, std::move(why)}, status};
}

}  // namespace

std::optional<WebSocketRefusal> refuse_websocket(const RequestHead& head) {
  const Headers& headers = head.headers;
  if (head.transport != Transport::kHttp1) {
    return refused(400, "a WebSocket is opened here over HTTP/1.1 alone");
  }
  if (!any_has_word(headers, "upgrade", "websocket") ||
      !any_has_word(headers, "connection", "upgrade")) {
    return refused(426,
                   "this is a WebSocket: send Connection: Upgrade and Upgrade: websocket, and if a "
                   "proxy stands between, let it pass them on");
  }
  if (head.method != "GET" || has_body(headers)) {
    return refused(400, "a WebSocket is opened by a GET without a body");
  }
  if (headers.count("sec-websocket-version") != 1 || headers.get("sec-websocket-version") != "13") {
    return refused(426, "the only Sec-WebSocket-Version taken is 13");
  }
  if (headers.count("sec-websocket-key") != 1 || !is_key(headers.get("sec-websocket-key"))) {
    return refused(400, "Sec-WebSocket-Key must be 16 bytes in base64");
  }
  return std::nullopt;
}

std::string websocket_accept(std::string_view key) {
  const std::string text = std::string(key).append(kAcceptSuffix);
  std::array<char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  // No secret: the digest shows that the server has read the key as one of a WebSocket.
  const int done =
      EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
                 EVP_sha1(), nullptr);
  CHECK(done == 1);
  return to_base64({digest.data(), size});
}

}  // namespace vigia::net
