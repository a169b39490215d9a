#include "services/storage/store/rocksdb/events/log_block.hpp"

#include <algorithm>
#include <bit>

#include "libs/base/bytes.hpp"

namespace vigia::storage::store::rocksdb::events::log_block {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr unsigned kWordBits = 64;

// Past the entries of one stream, and those that repeat the one before.
std::size_t end_of_stream(std::span<const Entry> entries, std::size_t begin, std::size_t& slots) {
  std::size_t at = begin;
  slots = 0;
  for (; at < entries.size() && entries[at].code == entries[begin].code; ++at) {
    if (at == begin || entries[at].slot != entries[at - 1].slot) ++slots;
  }
  return at;
}

}  // namespace

std::string encode(std::span<const Entry> entries) {
  std::string bytes(1, static_cast<char>(kVersion));
  std::uint32_t code = 0;
  for (std::size_t at = 0; at < entries.size();) {
    std::size_t slots = 0;
    const std::size_t end = end_of_stream(entries, at, slots);
    append_varint(bytes, entries[at].code - code);
    code = entries[at].code;
    append_varint(bytes, slots - 1);
    std::uint32_t slot = 0;
    for (const std::size_t begin = at; at < end; ++at) {
      if (at != begin && entries[at].slot == slot) continue;
      append_varint(bytes, entries[at].slot - slot);
      slot = entries[at].slot;
    }
  }
  return bytes;
}

void SlotSet::clear() {
  if (!is_empty_) std::fill(words_.begin(), words_.end(), 0);
  is_empty_ = true;
}

void SlotSet::add(std::uint32_t slot) {
  words_[slot / kWordBits] |= std::uint64_t{1} << (slot % kWordBits);
  is_empty_ = false;
}

void SlotSet::add_all() {
  std::fill(words_.begin(), words_.end(), ~std::uint64_t{0});
  is_empty_ = false;
}

std::vector<SlotSet::Run> SlotSet::runs() const {
  std::vector<Run> runs;
  if (is_empty_) return runs;
  for (std::uint32_t word = 0; word < words_.size(); ++word) {
    for (std::uint64_t bits = words_[word]; bits != 0; bits &= bits - 1) {
      const std::uint32_t slot =
          word * kWordBits + static_cast<std::uint32_t>(std::countr_zero(bits));
      if (!runs.empty() && runs.back().last + 1 == slot) {
        runs.back().last = slot;
      } else {
        runs.push_back({slot, slot});
      }
    }
  }
  return runs;
}

Result<void> read(std::string_view bytes, std::span<const std::uint32_t> codes, SlotSet& slots) {
  ByteReader reader(bytes);
  bool is_sound = reader.read_u8() == kVersion;
  std::uint64_t code = 0;
  auto wanted = codes.begin();
  while (is_sound && reader.ok() && !reader.rest().empty()) {
    code += reader.read_varint();
    while (wanted != codes.end() && *wanted < code) ++wanted;
    const bool is_wanted = wanted != codes.end() && *wanted == code;
    const std::uint64_t more = reader.read_varint();
    std::uint64_t slot = 0;
    for (std::uint64_t i = 0; i <= more && is_sound; ++i) {
      slot += reader.read_varint();
      is_sound = reader.ok() && slot < kSlots;
      if (is_sound && is_wanted) slots.add(static_cast<std::uint32_t>(slot));
    }
  }
  if (is_sound && reader.ok()) return {};
  return fail(ErrorCode::kCorrupt, "cold store: a damaged row of the index of log records");
}

}  // namespace vigia::storage::store::rocksdb::events::log_block
