#include "services/storage/store/rocksdb/events/tag_filter.hpp"

#include <algorithm>

#include <xxhash.h>

#include "libs/base/bytes.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

constexpr std::size_t kBitsPerTag = 8;
constexpr unsigned kBitsSet = 4;
constexpr std::size_t kByteBits = 8;

// Visits the bits of a tag in a filter of so many until `visit` gives false.
template <typename Visit>
bool for_each_bit(std::uint64_t tag, std::size_t bits, Visit&& visit) {
  constexpr unsigned kHalf = 32;
  const auto step = static_cast<std::uint32_t>(tag >> kHalf) | 1U;
  auto at = static_cast<std::uint32_t>(tag);
  for (unsigned i = 0; i < kBitsSet; ++i, at += step) {
    if (!visit((std::uint64_t{at} * bits) >> kHalf)) return false;
  }
  return true;
}

}  // namespace

bool TagHashes::add(std::uint64_t tag) {
  if (are_too_many_) return false;
  tags_.push_back(tag);
  // Spans of one trace repeat most of their tags.
  if (tags_.size() > 2 * tags_max_ + sorted_) sorted();
  return !are_too_many_;
}

void TagHashes::add_all(const TagHashes& others) {
  if (others.are_too_many_) are_too_many_ = true;
  for (const std::uint64_t tag : others.tags_) add(tag);
}

void TagHashes::clear() {
  tags_.clear();
  sorted_ = 0;
  are_too_many_ = false;
}

const std::vector<std::uint64_t>& TagHashes::sorted() {
  std::sort(tags_.begin(), tags_.end());
  tags_.erase(std::unique(tags_.begin(), tags_.end()), tags_.end());
  sorted_ = tags_.size();
  if (sorted_ > tags_max_) are_too_many_ = true;
  if (are_too_many_) tags_.clear();
  return tags_;
}

// The length stands between both, or a byte could change sides.
std::uint64_t hash_tag(std::string_view key, std::string_view value) {
  return XXH3_64bits_withSeed(value.data(), value.size(),
                              XXH3_64bits_withSeed(key.data(), key.size(), key.size()));
}

// The length is 0 for no tags, 1 for a filter that lets all pass, else one more than its bytes.
void append_filter(std::string& out, const std::vector<std::uint64_t>& tags, bool are_too_many,
                   std::size_t bytes_max) {
  const std::size_t bytes = (tags.size() * kBitsPerTag + kByteBits - 1) / kByteBits;
  if (are_too_many || bytes > bytes_max) {
    append_varint(out, 1);
    return;
  }
  if (tags.empty()) {
    append_varint(out, 0);
    return;
  }
  append_varint(out, bytes + 1);
  const std::size_t begin = out.size();
  out.append(bytes, '\0');
  for (const std::uint64_t tag : tags) {
    for_each_bit(tag, bytes * kByteBits, [&](std::size_t bit) {
      char& byte = out[begin + bit / kByteBits];
      byte = static_cast<char>(static_cast<unsigned char>(byte) | (1U << (bit % kByteBits)));
      return true;
    });
  }
}

void append_filter(std::string& out, TagHashes& tags, std::size_t bytes_max) {
  const std::vector<std::uint64_t>& hashes = tags.sorted();
  append_filter(out, hashes, tags.are_too_many(), bytes_max);
}

bool TagFilter::may_have(std::uint64_t tag) const {
  if (all) return true;
  if (bytes.empty()) return false;
  return for_each_bit(tag, bytes.size() * kByteBits, [&](std::size_t bit) {
    return (static_cast<unsigned char>(bytes[bit / kByteBits]) >> (bit % kByteBits) & 1U) != 0;
  });
}

}  // namespace vigia::storage::store::rocksdb::events
