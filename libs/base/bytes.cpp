#include "libs/base/bytes.hpp"

#include <array>

namespace vigia {

// Byte by byte, so that what is written is the same whatever the order of the processor's own.
void append_u32(std::string& out, std::uint32_t value) {
  std::array<char, sizeof(value)> bytes;
  for (unsigned i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(value >> (8 * i));
  out.append(bytes.data(), bytes.size());
}

void append_u64(std::string& out, std::uint64_t value) {
  std::array<char, sizeof(value)> bytes;
  for (unsigned i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(value >> (8 * i));
  out.append(bytes.data(), bytes.size());
}

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  out += static_cast<char>(value);
}

void append_sized(std::string& out, std::string_view bytes) {
  append_varint(out, bytes.size());
  out += bytes;
}

std::string_view ByteReader::read_bytes(std::size_t count) {
  // Once failed, always failed: a reader of many fields asks ok() once, at the end, and what it
  // read behind the fault is nought.
  if (!ok_ || count > rest_.size()) {
    ok_ = false;
    return {};
  }
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

std::uint8_t ByteReader::read_u8() {
  const std::string_view taken = read_bytes(1);
  return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
}

std::uint32_t ByteReader::read_u32() {
  std::uint32_t value = 0;
  const std::string_view taken = read_bytes(4);
  for (std::size_t i = taken.size(); i > 0; --i)
    value = (value << 8U) | static_cast<unsigned char>(taken[i - 1]);
  return value;
}

std::uint64_t ByteReader::read_u64() {
  std::uint64_t value = 0;
  const std::string_view taken = read_bytes(8);
  for (std::size_t i = taken.size(); i > 0; --i)
    value = (value << 8U) | static_cast<unsigned char>(taken[i - 1]);
  return value;
}

std::uint64_t ByteReader::read_varint() {
  std::uint64_t value = 0;
  // Ten bytes at most. Bits past the 64th are lost, as readers of protobuf lose them.
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = read_u8();
    if (!ok_) return 0;
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  ok_ = false;
  return 0;
}

std::string_view ByteReader::read_sized() { return read_bytes(read_varint()); }

}  // namespace vigia
