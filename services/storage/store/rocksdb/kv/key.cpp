#include "services/storage/store/rocksdb/kv/key.hpp"

#include <array>

namespace vigia::storage::store::rocksdb::kv {
namespace {

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63U;

std::uint64_t take_big_endian(std::string_view& key, std::size_t bytes, bool& ok) {
  if (key.size() < bytes) {
    ok = false;
    key = {};
    return 0;
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = (value << 8U) | static_cast<std::uint8_t>(key[i]);
  key.remove_prefix(bytes);
  return value;
}

void append_big_endian(std::string& key, std::uint64_t value, unsigned bytes) {
  std::array<char, sizeof(value)> digits;
  for (unsigned i = 0; i < bytes; ++i) {
    digits[i] = static_cast<char>((value >> (8 * (bytes - 1 - i))) & 0xffU);
  }
  key.append(digits.data(), bytes);
}

}  // namespace

void append_key_u32(std::string& key, std::uint32_t value) { append_big_endian(key, value, 4); }
void append_key_u64(std::string& key, std::uint64_t value) { append_big_endian(key, value, 8); }
void append_key_i64(std::string& key, std::int64_t value) {
  append_key_u64(key, static_cast<std::uint64_t>(value) ^ kSignBit);
}

std::uint32_t take_key_u32(std::string_view& key, bool& ok) {
  return static_cast<std::uint32_t>(take_big_endian(key, 4, ok));
}
std::uint64_t take_key_u64(std::string_view& key, bool& ok) { return take_big_endian(key, 8, ok); }
std::int64_t take_key_i64(std::string_view& key, bool& ok) {
  return static_cast<std::int64_t>(take_key_u64(key, ok) ^ kSignBit);
}

std::string after_prefix(std::string prefix) {
  while (!prefix.empty()) {
    const auto last = static_cast<std::uint8_t>(prefix.back());
    if (last != 0xff) {
      prefix.back() = static_cast<char>(last + 1);
      return prefix;
    }
    prefix.pop_back();
  }
  return prefix;
}

}  // namespace vigia::storage::store::rocksdb::kv
