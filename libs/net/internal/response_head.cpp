#include "libs/net/internal/response_head.hpp"

#include <array>
#include <ctime>

#include "libs/net/form.hpp"

namespace vigia::net::internal {

namespace {

constexpr std::string_view kDigits = "0123456789ABCDEF";

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

}  // namespace vigia::net::internal
