// The tree behind a configuration's nodes: how YAML becomes it, and how several become one. For
// config.cpp alone.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libs/service/config.hpp"

namespace vigia::service {

/// More of one file is not read.
inline constexpr std::size_t kFileBytesMax = 4U << 20U;

enum class NodeKind { kAbsent, kNull, kScalar, kMap, kSequence };

/// Of several faults the one is told that explains the others.
enum class Rank {
  kTypo,   // an unknown key beside a missing one that is spelt nearly so
  kOther,  // by line; what is missing has that of what it is missing from
};

struct NotedError {
  Rank rank = Rank::kOther;
  std::size_t file = 0;
  int line = 0;
  std::string text;
};

/// What all nodes of one configuration share, of however many files.
struct FileContext {
  std::vector<std::string> names;  // of the files, in the order of reading
  std::vector<NotedError> errors;
  std::size_t nodes = 0;
  bool is_overfull = false;  // nothing more is built

  void note(Rank rank, std::size_t file, int line, std::string_view path,
            std::string_view message) {
    const std::string place = fmt::format("{}:{}: ", names[file], line);
    errors.push_back({rank, file, line,
                      path.empty() ? fmt::format("{}{}", place, message)
                                   : fmt::format("{}{}: {}", place, path, message)});
  }
  /// Counts one more node, of that depth.
  bool has_room(int depth);
};

struct ConfigNode::State {
  std::shared_ptr<FileContext> context;  // shared by all nodes, which may outlive the file
  NodeKind kind = NodeKind::kAbsent;
  std::string path;
  std::size_t file = 0;  // by its place among the names
  int line = 1;
  std::string scalar;
  bool is_quoted = false;
  std::vector<std::pair<std::string, std::shared_ptr<State>>> children;  // of a map; file order
  std::vector<std::shared_ptr<State>> items;
  std::set<std::string, std::less<>> missed;  // keys that were asked for and are not there
  bool is_known = false;
  bool accepts_all = false;

  void note(std::string_view message) const { note(Rank::kOther, message); }
  void note(Rank rank, std::string_view message) const {
    context->note(rank, file, line, path, message);
  }
};

using StatePtr = std::shared_ptr<ConfigNode::State>;

/// "a.b"
std::string child_path(const std::string& path, std::string_view key);
/// Absent, of the context and file of `above`.
StatePtr make_node(const ConfigNode::State& above, std::string path, int line);

/// The root of one more file of this context. kInvalid for YAML that cannot be read; what is wrong
/// in a node is noted there.
Result<StatePtr> parse_tree(const std::shared_ptr<FileContext>& context, std::string_view text,
                            std::string name);

/// What stands later is laid over what stands earlier: maps by key, all else as a whole.
StatePtr merge_trees(const StatePtr& earlier, const StatePtr& later);

}  // namespace vigia::service
