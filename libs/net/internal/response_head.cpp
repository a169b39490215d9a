#include "libs/net/internal/response_head.hpp"

#include <array>
#include <ctime>

#include "libs/net/form.hpp"

namespace vigia::net::internal {

namespace {

constexpr std::string_view kDigits = "0123456789ABCDEF";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

bool is_connection_header(std::string_view name) {
  return name == "content-length" || name == "connection" || name == "transfer-encoding" ||
         name == "keep-alive" || name == "date" || name == "upgrade" || name.empty() ||
         name.starts_with(':');
}

std::string clean_value(std::string_view value) {
  std::string clean(value);
  for (char& letter : clean) {
    const auto byte = static_cast<unsigned char>(letter);
    if ((byte < 0x20 && letter != '\t') || byte == 0x7f) letter = ' ';
  }
  const std::size_t first = clean.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return clean.substr(first, clean.find_last_not_of(' ') - first + 1);
}

const std::string& date_text() {
  thread_local std::time_t written = 0;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != written) {
    std::array<char, 64> buffer{};
    std::tm parts{};
    gmtime_r(&now, &parts);
    const std::size_t size =
        std::strftime(buffer.data(), buffer.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    text.assign(buffer.data(), size);
    written = now;
  }
  return text;
}

bool may_have_body(int status) { return status >= 200 && status != 204 && status != 304; }

std::string encode_grpc_message(std::string_view message) {
  std::string out;
  for (const char letter : message) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte >= 0x20 && byte <= 0x7e && letter != '%') {
      out += letter;
    } else {
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
  return out;
}

std::string decode_grpc_message(std::string_view text) {
  // The protocol asks to show what cannot be decoded rather than to fail.
  return percent_decode(text, false).value_or(std::string(text));
}

std::string encode_base64(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char letter : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(letter);
    count += 8;
    while (count >= 6) {
      count -= 6;
      out += kBase64[bits >> count & 63U];
    }
  }
  if (count > 0) out += kBase64[bits << (6 - count) & 63U];
  return out;
}

std::optional<std::string> decode_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char letter : text) {
    const std::size_t value = kBase64.find(letter);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xffU);
    }
  }
  return out;
}

}  // namespace vigia::net::internal
