#include "libs/service/config_tree.hpp"

#include <algorithm>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "libs/service/config_references.hpp"

namespace vigia::service {
namespace {

using State = ConfigNode::State;

constexpr int kDepthMax = 32;
// Aliases can make a small file a huge tree, or an endless one.
constexpr std::size_t kNodesMax = 50'000;
constexpr std::string_view kOverfull = "nested too deeply, or too many values";

/// `above` gives context and file.
StatePtr build(const YAML::Node& yaml, const State& above, std::string path, int depth);

/// Keys that a map has of its own, then those that it merges: `taken` are had already. `<<` is
/// followed here, for yaml-cpp has it as a key like others.
void add_entries(const YAML::Node& yaml, State& node, int depth, std::set<std::string>& taken);

/// Of a list the first that has a key gives it.
void add_merged(const YAML::Node& merged, State& node, int line, int depth,
                std::set<std::string>& taken) {
  const auto add = [&](const YAML::Node& yaml) {
    if (node.context->is_overfull) return;
    if (yaml.IsMap())
      add_entries(yaml, node, depth + 1, taken);
    else
      node.context->note(Rank::kOther, node.file, line, node.path,
                         "<< merges a map, or a list of maps");
  };
  if (!merged.IsSequence()) return add(merged);
  for (const auto& item : merged) add(item);
}

void add_entries(const YAML::Node& yaml, State& node, int depth, std::set<std::string>& taken) {
  if (!node.context->has_room(depth)) return node.note(kOverfull);
  std::set<std::string> own;
  std::vector<std::pair<YAML::Node, int>> merged;
  for (const auto& entry : yaml) {
    if (node.context->is_overfull) return;
    const int line = entry.first.Mark().line + 1;
    const auto note = [&](std::string_view path, std::string_view message) {
      node.context->note(Rank::kOther, node.file, line, path, message);
    };
    if (!entry.first.IsScalar()) {
      note(node.path, "a key must be a plain text");
      continue;
    }
    const std::string& key = entry.first.Scalar();
    if (!own.insert(key).second) {
      note(child_path(node.path, key), "the key is given twice");
    } else if (key == "<<" && entry.first.Tag() != "!") {
      merged.emplace_back(entry.second, line);
    } else if (taken.insert(key).second) {
      StatePtr child = build(entry.second, node, child_path(node.path, key), depth + 1);
      child->line = line;  // the key's line: that of a value may be lines below
      node.children.emplace_back(key, std::move(child));
    } else if (!node.context->has_room(depth)) {  // merging what is had already takes time, too
      return node.note(kOverfull);
    }
  }
  for (const auto& [map, line] : merged) add_merged(map, node, line, depth, taken);
}

StatePtr build(const YAML::Node& yaml, const State& above, std::string path, int depth) {
  StatePtr node = make_node(above, std::move(path), yaml.Mark().line + 1);
  if (above.context->is_overfull) return node;
  if (!above.context->has_room(depth)) {
    node->note(kOverfull);
    return node;
  }
  switch (yaml.Type()) {
    case YAML::NodeType::Null:
      node->kind = NodeKind::kNull;
      break;
    case YAML::NodeType::Scalar:
      node->kind = NodeKind::kScalar;
      // After YAML has read it: what a variable holds is a text, and cannot become keys or lists.
      node->scalar =
          expand_references(yaml.Scalar(), [&](std::string_view message) { node->note(message); });
      node->is_quoted = yaml.Tag() == "!";
      break;
    case YAML::NodeType::Sequence:
      node->kind = NodeKind::kSequence;
      for (const auto& item : yaml) {
        if (above.context->is_overfull) break;
        node->items.push_back(
            build(item, above, fmt::format("{}[{}]", node->path, node->items.size()), depth + 1));
      }
      break;
    case YAML::NodeType::Map: {
      node->kind = NodeKind::kMap;
      std::set<std::string> taken;
      add_entries(yaml, *node, depth, taken);
      break;
    }
    case YAML::NodeType::Undefined:
      break;
  }
  return node;
}

/// Takes no notice of what a document holds.
class IgnoringHandler final : public YAML::EventHandler {
  using Mark = YAML::Mark;
  using Tag = std::string;
  using Anchor = YAML::anchor_t;
  using Style = YAML::EmitterStyle::value;
  void OnDocumentStart(const Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const Mark& /*mark*/, Anchor /*anchor*/) override {}
  void OnAlias(const Mark& /*mark*/, Anchor /*anchor*/) override {}
  void OnScalar(const Mark& /*mark*/, const Tag& /*tag*/, Anchor /*anchor*/,
                const std::string& /*value*/) override {}
  void OnSequenceStart(const Mark& /*mark*/, const Tag& /*tag*/, Anchor /*anchor*/,
                       Style /*style*/) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const Mark& /*mark*/, const Tag& /*tag*/, Anchor /*anchor*/,
                  Style /*style*/) override {}
  void OnMapEnd() override {}
};

/// YAML::LoadAll would tell, too, but finds endlessly many documents in a text such as ",".
bool has_two_documents(std::string_view text) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  IgnoringHandler handler;
  return parser.HandleNextDocument(handler) && parser.HandleNextDocument(handler);
}

}  // namespace

bool FileContext::has_room(int depth) {
  if (depth > kDepthMax || ++nodes > kNodesMax) is_overfull = true;
  return !is_overfull;
}

std::string child_path(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

StatePtr make_node(const State& above, std::string path, int line) {
  auto node = std::make_shared<State>();
  node->context = above.context;
  node->file = above.file;
  node->path = std::move(path);
  node->line = line;
  return node;
}

Result<StatePtr> parse_tree(const std::shared_ptr<FileContext>& context, std::string_view text,
                            std::string name) {
  if (text.size() > kFileBytesMax) {
    return fail(ErrorCode::kInvalid, fmt::format("{}: larger than {} bytes", name, kFileBytesMax));
  }
  try {
    // YAML::Load would read the first and say nothing of the rest.
    if (has_two_documents(text)) {
      return fail(ErrorCode::kInvalid, fmt::format("{}: not one YAML document", name));
    }
    const YAML::Node document = YAML::Load(std::string(text));
    State file;
    file.context = context;
    file.file = context->names.size();
    context->names.push_back(std::move(name));
    StatePtr root = build(document, file, "", 0);
    if (root->kind == NodeKind::kScalar || root->kind == NodeKind::kSequence)
      root->note("must be a map of keys");
    return root;
  } catch (const YAML::Exception& fault) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{}:{}: {}", name, fault.mark.line + 1, fault.msg));
  }
}

StatePtr merge_trees(const StatePtr& earlier, const StatePtr& later) {
  if (earlier->kind != NodeKind::kMap || later->kind != NodeKind::kMap) return later;
  for (const auto& [key, child] : later->children) {
    auto& children = earlier->children;
    const auto found = std::find_if(children.begin(), children.end(),
                                    [&](const auto& entry) { return entry.first == key; });
    if (found == children.end())
      children.emplace_back(key, child);
    else
      found->second = merge_trees(found->second, child);
  }
  return earlier;
}

}  // namespace vigia::service
