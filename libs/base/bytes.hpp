// Fixed-width little-endian numbers in byte strings: what our own formats on disk are made of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vigia {

void append_u32(std::string& out, std::uint32_t value);
void append_u64(std::string& out, std::uint64_t value);
/// LEB128, as protobuf writes it.
void append_varint(std::string& out, std::uint64_t value);
/// A varint length, then the bytes.
void append_sized(std::string& out, std::string_view bytes);

/// Reads what the functions above wrote, from the front. After the first failure every read gives 0
/// or empty and `ok()` is false, so that a decoder checks once at its end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  std::uint8_t read_u8();
  std::uint32_t read_u32();
  std::uint64_t read_u64();
  std::uint64_t read_varint();
  std::string_view read_sized();
  std::string_view read_bytes(std::size_t count);
  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace vigia
