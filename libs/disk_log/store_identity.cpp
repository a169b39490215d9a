#include "libs/disk_log/store_identity.hpp"

#include <charconv>

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/base/random.hpp"

namespace vigia::disk_log {
namespace {

constexpr std::size_t kIdBytes = 8;
constexpr std::size_t kIdDigits = 2 * kIdBytes;
constexpr std::string_view kHexDigits = "0123456789abcdef";

}  // namespace

StoreIdentity make_store_identity(std::int64_t now_ms) {
  return {to_hex(random_bytes(kIdBytes)), now_ms};
}

std::string to_text(const StoreIdentity& identity) {
  return fmt::format("{} {}", identity.id, identity.made_ms);
}

std::optional<StoreIdentity> parse_store_identity(std::string_view text) {
  if (text.size() < kIdDigits + 2 || text[kIdDigits] != ' ') return std::nullopt;
  StoreIdentity identity;
  identity.id = text.substr(0, kIdDigits);
  if (identity.id.find_first_not_of(kHexDigits) != std::string::npos) return std::nullopt;
  const std::string_view made = text.substr(kIdDigits + 1);
  const char* end = made.data() + made.size();
  const auto [stop, failure] = std::from_chars(made.data(), end, identity.made_ms);
  if (failure != std::errc{} || stop != end || identity.made_ms < 0) return std::nullopt;
  return identity;
}

KeptLineForm store_identity_form(std::string path) {
  return {std::move(path),
          [](std::string_view text) { return parse_store_identity(text).has_value(); }};
}

}  // namespace vigia::disk_log
