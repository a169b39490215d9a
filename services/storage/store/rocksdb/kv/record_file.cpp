#include "services/storage/store/rocksdb/kv/record_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

constexpr std::size_t kBlockBytes = 32U << 10U;
constexpr std::size_t kHeaderBytes = 7;  // masked CRC-32C (4), size (2), type (1)
constexpr std::size_t kSizeAt = 4;
constexpr std::size_t kTypeAt = 6;

enum FragmentType : std::uint8_t { kZero = 0, kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

// RocksDB's masking (util/crc32c.h): a checksum over bytes that contain checksums is weak.
std::uint32_t masked(std::uint32_t crc) { return ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U; }

struct Fragment {
  std::uint8_t type = kZero;
  std::string_view payload;
};

// The fragment that begins at `at`, where one does and its checksum is right.
bool parse_fragment(std::string_view block, std::size_t at, Fragment& fragment) {
  if (at + kHeaderBytes > block.size()) return false;
  ByteReader header(block.substr(at, kHeaderBytes));
  const std::uint32_t crc = header.read_u32();
  const std::uint32_t low = header.read_u8();
  const std::size_t size = low | (std::uint32_t{header.read_u8()} << 8U);
  fragment.type = header.read_u8();
  if (fragment.type < kFull || fragment.type > kLast) return false;
  if (at + kHeaderBytes + size > block.size()) return false;
  fragment.payload = block.substr(at + kHeaderBytes, size);
  return masked(crc32c(block.substr(at + kTypeAt, size + 1))) == crc;
}

bool is_zeros(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 0; });
}

// Puts fragments together; damage on the way costs the record it lies in.
class Assembler {
 public:
  Assembler(const std::function<void(std::string_view)>& visit, RecordFileState& state)
      : visit_(visit), state_(state) {}

  // `at` is where the damaged bytes begin in the file.
  void damage(std::uint64_t at, std::uint64_t bytes) {
    // Damage within a record begins where the record does: its earlier fragments are lost with it.
    if (!has_damage_) damage_at_ = is_open_ ? record_at_ : at;
    has_damage_ = true;
    damaged_bytes_ += bytes;
    is_open_ = false;
  }
  void add(std::uint64_t at, const Fragment& fragment) {
    const bool is_start = fragment.type == kFull || fragment.type == kFirst;
    if (is_start && is_open_) damage(record_at_, record_.size());
    if (!is_start && !is_open_) return damage(at, fragment.payload.size());
    if (is_start) {
      record_.clear();
      record_at_ = at;
    }
    is_open_ = true;
    record_ += fragment.payload;
    if (fragment.type == kFull || fragment.type == kLast) {
      finish(at + kHeaderBytes + fragment.payload.size());
    }
  }
  void end() {
    if (is_open_) damage(record_at_, record_.size());
    // Damage that no whole record follows is not a passage: it is what a crash leaves of the last
    // write.
    state_.tail_bytes = damaged_bytes_;
  }

 private:
  void finish(std::uint64_t end) {
    is_open_ = false;
    state_.records_end = end;
    if (has_damage_) {
      if (state_.damaged_passages == 0) state_.first_damage = damage_at_;
      ++state_.damaged_passages;
      state_.damaged_bytes += damaged_bytes_;
      has_damage_ = false;
      damaged_bytes_ = 0;
    }
    ++state_.records;
    visit_(record_);
  }

  const std::function<void(std::string_view)>& visit_;
  RecordFileState& state_;
  std::string record_;
  std::uint64_t record_at_ = 0;
  bool is_open_ = false;
  bool has_damage_ = false;  // since the last whole record
  std::uint64_t damage_at_ = 0;
  std::uint64_t damaged_bytes_ = 0;
};

// Where reading goes on behind a damaged fragment: behind its payload, if that is where the next
// one stands, else in the next block. No other place is tried: bytes inside a payload may look like
// a fragment because a customer wrote them so.
std::size_t behind_damage(std::string_view block, std::size_t at) {
  if (at + kHeaderBytes > block.size()) return block.size();
  const auto low = static_cast<std::uint8_t>(block[at + kSizeAt]);
  const auto high = static_cast<std::uint8_t>(block[at + kSizeAt + 1]);
  const std::size_t next = at + kHeaderBytes + low + (std::size_t{high} << 8U);
  Fragment fragment;
  return parse_fragment(block, next, fragment) ? next : block.size();
}

void read_block(std::string_view block, std::uint64_t block_at, Assembler& assembler) {
  std::size_t at = 0;
  while (at < block.size()) {
    Fragment fragment;
    if (parse_fragment(block, at, fragment)) {
      assembler.add(block_at + at, fragment);
      at += kHeaderBytes + fragment.payload.size();
      continue;
    }
    // The end of a block too short for a header is filled with zeros, as is space set aside ahead.
    const bool is_filler = is_zeros(block.substr(at)) && block.size() - at < kHeaderBytes;
    if (is_filler) return;
    const std::size_t begin = at;
    at = behind_damage(block, at);
    const std::string_view passage = block.substr(begin, at - begin);
    // Zeros break a record all the same, but are no bytes that anybody wrote.
    assembler.damage(block_at + begin, is_zeros(passage) ? 0 : passage.size());
  }
}

}  // namespace

Result<RecordFileState> read_record_file(const std::string& path,
                                         const std::function<void(std::string_view)>& visit) {
  RecordFileState state;
  Assembler assembler(visit, state);
  std::ifstream file(path, std::ios::binary);
  std::vector<char> block(kBlockBytes);
  std::uint64_t at = 0;
  while (file) {
    file.read(block.data(), kBlockBytes);
    const auto size = static_cast<std::size_t>(file.gcount());
    if (size > 0) read_block({block.data(), size}, at, assembler);
    at += size;
  }
  if (!file.eof()) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("cold store: {} cannot be read: {}", path, std::strerror(errno)));
  }
  assembler.end();
  return state;
}

void RecordFileWriter::append(std::string_view record) {
  bool is_first = true;
  do {
    // do-while, since an empty record also has a fragment: kFull without a payload.
    const std::size_t left = kBlockBytes - in_block_;
    if (left < kHeaderBytes) {
      bytes_.append(left, '\0');
      in_block_ = 0;
      continue;
    }
    const std::string_view part = record.substr(0, left - kHeaderBytes);
    record.remove_prefix(part.size());
    const bool is_last = record.empty();
    add_fragment(is_first ? (is_last ? kFull : kFirst) : (is_last ? kLast : kMiddle), part);
    if (is_last) return;
    is_first = false;
  } while (true);
}

void RecordFileWriter::add_fragment(std::uint8_t type, std::string_view payload) {
  std::string body(1, static_cast<char>(type));
  body += payload;
  append_u32(bytes_, masked(crc32c(body)));
  bytes_.push_back(static_cast<char>(payload.size() & 0xffU));
  bytes_.push_back(static_cast<char>(payload.size() >> 8U));
  bytes_ += body;
  in_block_ = (in_block_ + kHeaderBytes + payload.size()) % kBlockBytes;
}

std::string RecordFileWriter::take() { return std::exchange(bytes_, {}); }

}  // namespace vigia::storage::store::rocksdb::kv
