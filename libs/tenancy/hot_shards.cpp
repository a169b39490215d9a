#include "libs/tenancy/hot_shards.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

namespace vigia::tenancy {
namespace {

constexpr std::size_t kNamesBytesMax = 240;  // with commas between them

/// FNV-1a, then mixed as SplitMix64 does: what differs in the last letters alone differs in all
/// bits. Data lies where this says: it must never change.
std::uint64_t weight_of(std::string_view shard, std::string_view node_id) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  };
  add(shard);
  add(std::string_view("\0", 1));
  add(node_id);
  hash = (hash ^ (hash >> 30U)) * 0xbf58476d1ce4e5b9U;
  hash = (hash ^ (hash >> 27U)) * 0x94d049bb133111ebU;
  return hash ^ (hash >> 31U);
}

}  // namespace

Result<std::vector<std::string>> check_hot_shards(std::vector<std::string> names) {
  if (names.empty() || names.size() > kHotShardsMax) {
    return fail(ErrorCode::kInvalid, fmt::format("must be 1 to {} hot shards", kHotShardsMax));
  }
  std::size_t bytes = names.size() - 1;
  for (auto name = names.begin(); name != names.end(); ++name) {
    bytes += name->size();
    if (name->empty() || name->find(',') != std::string::npos) {
      return fail(ErrorCode::kInvalid, "a hot shard has no name, or one with a comma");
    }
    if (std::find(names.begin(), name, *name) != name) {
      return fail(ErrorCode::kInvalid, fmt::format("the hot shard {} stands there twice", *name));
    }
  }
  if (bytes > kNamesBytesMax) {
    return fail(ErrorCode::kInvalid, fmt::format("the names of the hot shards are longer than {} "
                                                 "bytes together",
                                                 kNamesBytesMax));
  }
  return names;
}

std::size_t shard_of_node(const std::vector<std::string>& shards, std::string_view node_id) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < shards.size(); ++i) {
    const std::uint64_t ours = weight_of(shards[i], node_id);
    const std::uint64_t theirs = weight_of(shards[best], node_id);
    // Of two that weigh the same the name decides, so that the order never does.
    if (ours > theirs || (ours == theirs && shards[i] < shards[best])) best = i;
  }
  return best;
}

std::string join_hot_shards(const std::vector<std::string>& shards, std::uint32_t chosen) {
  std::string joined;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    if (chosen != 0 && (chosen >> i & 1U) == 0) continue;
    if (!joined.empty()) joined += ',';
    joined += shards[i];
  }
  return joined;
}

bool is_among_hot_shards(std::string_view joined, std::string_view shard) {
  if (joined == shard) return true;
  while (!joined.empty()) {
    const std::size_t end = joined.find(',');
    if (end == std::string_view::npos) return joined == shard;
    if (joined.substr(0, end) == shard) return true;
    joined.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace vigia::tenancy
