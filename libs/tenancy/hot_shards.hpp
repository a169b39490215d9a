// Which of its hot shards a node's series lie in, of a customer that has several.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"

namespace vigia::tenancy {

inline constexpr std::size_t kHotShardsMax = 8;

/// The names as they are, or kInvalid with the reason: none, more than kHotShardsMax, one twice,
/// one that is empty or has a comma, or together more than a record's route has room for.
Result<std::vector<std::string>> check_hot_shards(std::vector<std::string> names);

/// The place among `shards` (one at least) of the one that has that node, the node "" included. The
/// same in every program and for ever, in whatever order they are named; where one is added, or
/// taken away, the nodes of the others stay where they are (rendezvous hashing).
std::size_t shard_of_node(const std::vector<std::string>& shards, std::string_view node_id);

/// Names of several shards as one text, by which a record goes to each of them: "hot-0,hot-1".
/// Those whose bit is set in `chosen`, the first in the lowest; all where none is.
std::string join_hot_shards(const std::vector<std::string>& shards, std::uint32_t chosen = 0);
/// Whether that shard is one of a text that join_hot_shards has made.
bool is_among_hot_shards(std::string_view joined, std::string_view shard);

}  // namespace vigia::tenancy
