#include "services/storage/store/rocksdb/kv/flipped_bits.hpp"

#include <bit>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string_view>

#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <xxhash.h>

#include "libs/base/bytes.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_rows.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

constexpr std::size_t kBlocksMax = 16;
// All bits of a block are tried, each with a checksum of all of it.
constexpr std::uint64_t kBlockBytesMax = 64U << 10U;
// Of what all rows of a file hang on, two bits side by side are tried as well. In a block of rows
// they are not: each try is one more chance in four thousand million to be wrong.
constexpr std::uint64_t kSmallBlockBytes = 4U << 10U;
// Behind a block: how it is compressed (1), which the checksum covers, and that (4).
constexpr std::uint64_t kTrailerBytes = 5;
constexpr std::uint64_t kFooterBytes = 53;
constexpr std::uint8_t kXxh3 = 4;

struct Block {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  // without its trailer
};

// RocksDB's kXXH3: the last byte is mixed in by itself.
std::uint32_t checksum_of(std::string_view bytes) {
  constexpr std::uint32_t kPrime = 0x6b9083d9;
  const auto hash =
      static_cast<std::uint32_t>(XXH3_64bits(bytes.data(), bytes.size() - 1) & UINT32_MAX);
  return hash ^ (static_cast<std::uint8_t>(bytes.back()) * kPrime);
}

std::string read_at(const std::string& path, std::uint64_t offset, std::uint64_t size) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  std::string bytes(size, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  return file ? bytes : std::string();
}

bool write_at(const std::string& path, std::uint64_t offset, std::string_view bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return static_cast<bool>(file.flush());
}

// The place of the byte whose bits were turned, one of it or two side by side, so that the checksum
// is right.
std::optional<std::size_t> turn_bits(std::string& bytes, unsigned bits, std::uint32_t stored) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const char before = bytes[at];
    for (unsigned turned = bits; turned < 256; turned <<= 1U) {
      bytes[at] = static_cast<char>(static_cast<unsigned char>(before) ^ turned);
      if (checksum_of(bytes) == stored) return at;
    }
    bytes[at] = before;
  }
  return std::nullopt;
}

bool mend_block(const std::string& path, const Block& block) {
  if (block.size == 0 || block.size > kBlockBytesMax) return false;
  std::string bytes = read_at(path, block.offset, block.size + kTrailerBytes);
  if (bytes.empty()) return false;
  const std::uint64_t checksum_at = block.size + 1;
  const std::uint32_t stored = ByteReader(std::string_view(bytes).substr(checksum_at)).read_u32();
  bytes.resize(checksum_at);
  const std::uint32_t computed = checksum_of(bytes);
  if (computed == stored) return false;
  if (std::popcount(computed ^ stored) <= 2) {  // the checksum itself
    std::string right;
    append_u32(right, computed);
    return write_at(path, block.offset + checksum_at, right);
  }
  auto at = turn_bits(bytes, 0b1, stored);
  if (!at && block.size <= kSmallBlockBytes) at = turn_bits(bytes, 0b11, stored);
  return at.has_value() && write_at(path, block.offset + *at, {&bytes[*at], 1});
}

std::optional<std::uint64_t> number_after(std::string_view text, std::string_view word) {
  const std::size_t at = text.rfind(word);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(at + word.size());
  std::uint64_t number = 0;
  const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  return read.ec == std::errc() ? std::optional(number) : std::nullopt;
}

// "block checksum mismatch: stored = 1, computed = 2, type = 4  in FILE offset 3 size 4"
std::optional<Block> block_in(std::string_view text) {
  if (text.find("block checksum mismatch") == std::string_view::npos) return std::nullopt;
  const auto offset = number_after(text, " offset ");
  const auto size = number_after(text, " size ");
  if (!offset.has_value() || !size.has_value()) return std::nullopt;
  return Block{*offset, *size};
}

// Entries of keys that share their beginnings, then the places where none is shared, and how many.
std::optional<Block> properties_in(std::string_view metaindex) {
  constexpr std::string_view kProperties = "rocksdb.properties";
  if (metaindex.size() < sizeof(std::uint32_t)) return std::nullopt;
  const std::uint64_t restarts = ByteReader(metaindex.substr(metaindex.size() - 4)).read_u32();
  if (restarts >= metaindex.size() / 4) return std::nullopt;
  ByteReader reader(metaindex.substr(0, metaindex.size() - 4 * (restarts + 1)));
  std::string key;
  while (reader.ok() && !reader.rest().empty()) {
    const std::uint64_t shared = reader.read_varint();
    const std::uint64_t own = reader.read_varint();
    const std::uint64_t value = reader.read_varint();
    if (!reader.ok() || shared > key.size()) return std::nullopt;
    key.resize(shared);
    key += reader.read_bytes(own);
    ByteReader handle(reader.read_bytes(value));
    const Block block{handle.read_varint(), handle.read_varint()};
    if (key == kProperties && handle.ok()) return block;
  }
  return std::nullopt;
}

// RocksDB reads the properties without a look at their checksum, and does not open a file whose
// properties it cannot make out.
bool mend_properties(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto file_bytes = static_cast<std::uint64_t>(file.tellg());
  if (!file || file_bytes < kFooterBytes || !check_table_footer(path)) return false;
  const std::string footer = read_at(path, file_bytes - kFooterBytes, kFooterBytes);
  ByteReader reader(footer);
  if (reader.read_u8() != kXxh3) return false;
  const Block metaindex{reader.read_varint(), reader.read_varint()};
  if (!reader.ok() || metaindex.size > kBlockBytesMax) return false;
  if (mend_block(path, metaindex)) return true;
  const auto properties = properties_in(read_at(path, metaindex.offset, metaindex.size));
  return properties.has_value() && mend_block(path, *properties);
}

}  // namespace

std::size_t mend_flipped_bits(const std::string& path) {
  std::size_t mended = 0;
  for (; mended < kBlocksMax; ++mended) {
    if (!check_table_footer(path)) return mended;
    ::rocksdb::SstFileReader reader((::rocksdb::Options()));
    auto status = reader.Open(path);
    if (!status.ok() && mend_properties(path)) continue;
    if (status.ok()) status = reader.VerifyChecksum();
    if (!status.IsCorruption()) return mended;
    const auto block = block_in(status.ToString());
    if (!block.has_value() || !mend_block(path, *block)) return mended;
  }
  return mended;
}

}  // namespace vigia::storage::store::rocksdb::kv
