#include "services/storage/api/cursor_text.hpp"

#include <utility>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"
#include "libs/base/hex.hpp"

namespace vigia::storage::api {
namespace {

constexpr std::size_t kSumBytes = 4;

}  // namespace

std::string to_cursor_text(std::string bytes) {
  append_u32(bytes, crc32c(bytes));
  return to_hex(bytes);
}

std::optional<std::string> from_cursor_text(std::string_view text) {
  auto bytes = text.size() <= kCursorTextMax ? from_hex(text) : std::nullopt;
  if (!bytes || bytes->size() < kSumBytes) return std::nullopt;
  const std::size_t size = bytes->size() - kSumBytes;
  ByteReader sum(std::string_view(*bytes).substr(size));
  if (sum.read_u32() != crc32c(std::string_view(*bytes).substr(0, size))) return std::nullopt;
  bytes->resize(size);
  return bytes;
}

std::optional<CustomerId> cursor_customer(std::string_view text) {
  if (text == CustomerId::provider().text()) return CustomerId::provider();
  auto customer = CustomerId::parse(text);
  if (!customer) return std::nullopt;
  return std::move(*customer);
}

tl::unexpected<Error> no_cursor() {
  return fail(ErrorCode::kInvalid, "cursor is none that an answer gave");
}

}  // namespace vigia::storage::api
