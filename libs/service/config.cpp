#include "libs/service/config.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace vigia::service {

namespace {

constexpr std::size_t kFileBytesMax = 4U << 20U;
constexpr int kDepthMax = 32;
// Aliases can make a small file a huge tree, or an endless one.
constexpr std::size_t kNodesMax = 50'000;

enum class NodeKind { kAbsent, kNull, kScalar, kMap, kSequence };

/// Of several faults the one is told that explains the others.
enum class Rank {
  kTypo,   // an unknown key beside a missing one that is spelt nearly so
  kOther,  // by line; what is missing has that of what it is missing from
};

struct NotedError {
  Rank rank = Rank::kOther;
  int line = 0;
  std::string text;
};

/// What all nodes of one file share.
struct FileContext {
  std::string name;
  std::vector<NotedError> errors;
  std::size_t nodes = 0;
  bool is_overfull = false;  // nothing more is built

  void note(Rank rank, int line, std::string_view path, std::string_view message) {
    errors.push_back({rank, line,
                      path.empty() ? fmt::format("{}:{}: {}", name, line, message)
                                   : fmt::format("{}:{}: {}: {}", name, line, path, message)});
  }
};

}  // namespace

struct ConfigNode::State {
  std::shared_ptr<FileContext> context;  // shared by all nodes, which may outlive the file
  NodeKind kind = NodeKind::kAbsent;
  std::string path;
  int line = 1;
  std::string scalar;
  bool is_quoted = false;
  std::vector<std::pair<std::string, std::shared_ptr<State>>> children;  // of a map; file order
  std::vector<std::shared_ptr<State>> items;
  std::set<std::string, std::less<>> missed;  // keys that were asked for and are not there
  bool is_known = false;
  bool accepts_all = false;

  void note(std::string_view message) const { note(Rank::kOther, message); }
  void note(Rank rank, std::string_view message) const { context->note(rank, line, path, message); }
};

namespace {

using State = ConfigNode::State;
using StatePtr = std::shared_ptr<State>;

bool is_name_letter(char letter) {
  return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') ||
         (letter >= '0' && letter <= '9') || letter == '_';
}

/// The text of one `${env:NAME}` or `${env:NAME:-fallback}`; notes an error where it has none.
std::string expand_reference(std::string_view reference, const State& node) {
  if (!reference.starts_with("env:")) {
    node.note(fmt::format("\"${{{}}}\" is not known; only ${{env:NAME}} is", reference));
    return "";
  }
  reference.remove_prefix(4);
  const std::size_t split = reference.find(":-");
  const std::string name(reference.substr(0, split));
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_name_letter)) {
    node.note(fmt::format("\"{}\" is not the name of an environment variable", name));
    return "";
  }
  // Set and empty is a value too: the fallback is for what is not set.
  if (const char* value = std::getenv(name.c_str())) return value;
  if (split != std::string_view::npos) return std::string(reference.substr(split + 2));
  node.note(fmt::format("environment variable {} is not set", name));
  return "";
}

/// Replaces references; "$$" is one "$".
std::string expand(std::string_view text, const State& node) {
  std::string out;
  while (!text.empty()) {
    if (text.starts_with("$$")) {
      out += '$';
      text.remove_prefix(2);
    } else if (const std::size_t end = text.find('}');
               text.starts_with("${") && end != std::string_view::npos) {
      out += expand_reference(text.substr(2, end - 2), node);
      text.remove_prefix(end + 1);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

std::string child_path(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

StatePtr make_node(const std::shared_ptr<FileContext>& context, std::string path, int line) {
  auto node = std::make_shared<State>();
  node->context = context;
  node->path = std::move(path);
  node->line = line;
  return node;
}

StatePtr build(const YAML::Node& yaml, const std::shared_ptr<FileContext>& context,
               std::string path, int depth);

void build_map(const YAML::Node& yaml, State& node, int depth) {
  std::set<std::string> seen;
  for (const auto& entry : yaml) {
    if (node.context->is_overfull) return;
    const int line = entry.first.Mark().line + 1;
    if (!entry.first.IsScalar()) {
      node.context->note(Rank::kOther, line, node.path, "a key must be a plain text");
      continue;
    }
    const std::string& key = entry.first.Scalar();
    // yaml-cpp would keep it as an ordinary key, and the reader would look for values in vain.
    if (key == "<<") {
      node.context->note(Rank::kOther, line, node.path, "merge keys (<<) are not allowed");
      continue;
    }
    if (!seen.insert(key).second) {
      node.context->note(Rank::kOther, line, child_path(node.path, key), "the key is given twice");
      continue;
    }
    StatePtr child = build(entry.second, node.context, child_path(node.path, key), depth + 1);
    child->line = line;  // the key's line: that of a value may be lines below
    node.children.emplace_back(key, std::move(child));
  }
}

StatePtr build(const YAML::Node& yaml, const std::shared_ptr<FileContext>& context,
               std::string path, int depth) {
  StatePtr node = make_node(context, std::move(path), yaml.Mark().line + 1);
  if (context->is_overfull) return node;
  if (depth > kDepthMax || ++context->nodes > kNodesMax) {
    context->is_overfull = true;
    node->note("nested too deeply, or too many values");
    return node;
  }
  switch (yaml.Type()) {
    case YAML::NodeType::Null:
      node->kind = NodeKind::kNull;
      break;
    case YAML::NodeType::Scalar:
      node->kind = NodeKind::kScalar;
      // After YAML has read it: what a variable holds is a text, and cannot become keys or lists.
      node->scalar = expand(yaml.Scalar(), *node);
      node->is_quoted = yaml.Tag() == "!";
      break;
    case YAML::NodeType::Sequence:
      node->kind = NodeKind::kSequence;
      for (const auto& item : yaml) {
        if (context->is_overfull) break;
        node->items.push_back(
            build(item, context, fmt::format("{}[{}]", node->path, node->items.size()), depth + 1));
      }
      break;
    case YAML::NodeType::Map:
      node->kind = NodeKind::kMap;
      build_map(yaml, *node, depth);
      break;
    case YAML::NodeType::Undefined:
      break;
  }
  return node;
}

/// Letters left out, added, changed or changed places with their neighbour.
std::size_t edits_between(std::string_view left, std::string_view right) {
  const std::size_t width = right.size() + 1;
  std::vector<std::size_t> cells((left.size() + 1) * width);
  const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& {
    return cells[i * width + j];
  };
  for (std::size_t i = 0; i <= left.size(); ++i) at(i, 0) = i;
  for (std::size_t j = 0; j <= right.size(); ++j) at(0, j) = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t changed = at(i - 1, j - 1) + (left[i - 1] == right[j - 1] ? 0 : 1);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, changed});
      const bool is_swap =
          i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (is_swap) at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
    }
  }
  return at(left.size(), right.size());
}

/// The missed key that is nearest; "" where none is near enough to be meant.
std::string nearest(const std::set<std::string, std::less<>>& missed, std::string_view key) {
  constexpr std::size_t kKeyBytesMax = 64;  // what is longer is no slip
  if (key.size() > kKeyBytesMax) return "";
  std::string found;
  // One slip for each three letters: beyond that the suggestion would be a guess.
  std::size_t fewest = key.size() / 3 + 1;
  for (const std::string& known : missed) {
    const std::size_t edits = known.size() > kKeyBytesMax ? fewest : edits_between(key, known);
    if (edits >= fewest) continue;
    fewest = edits;
    found = known;
  }
  return found;
}

void note_unknown_keys(const State& node) {
  if (node.accepts_all) return;
  for (const auto& [key, child] : node.children) {
    if (child->is_known) {
      note_unknown_keys(*child);
    } else if (const std::string meant = nearest(node.missed, key); !meant.empty()) {
      child->note(Rank::kTypo, fmt::format("the key is not known; is \"{}\" meant?", meant));
    } else {
      child->note("the key is not known");
    }
  }
  for (const StatePtr& item : node.items) note_unknown_keys(*item);
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

struct ByteUnit {
  std::string_view name;
  std::uint64_t bytes;
};

constexpr ByteUnit kByteUnits[] = {{"", 1},
                                   {"B", 1},
                                   {"KiB", 1ULL << 10U},
                                   {"MiB", 1ULL << 20U},
                                   {"GiB", 1ULL << 30U},
                                   {"TiB", 1ULL << 40U},
                                   {"KB", 1'000},
                                   {"MB", 1'000'000},
                                   {"GB", 1'000'000'000},
                                   {"TB", 1'000'000'000'000}};

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (fault != std::errc()) return std::nullopt;
  const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const ByteUnit& unit : kByteUnits) {
    if (unit.name != name) continue;
    std::uint64_t bytes = 0;
    // 17179869184GiB would otherwise wrap around to 0.
    if (__builtin_mul_overflow(count, unit.bytes, &bytes)) return std::nullopt;
    return bytes;
  }
  return std::nullopt;
}

/// The scalar of a node that is to be read; nothing where it is absent, or, noted, not a scalar.
const std::string* scalar_of(const State& node) {
  if (node.kind == NodeKind::kScalar) return &node.scalar;
  if (node.kind == NodeKind::kMap || node.kind == NodeKind::kSequence) {
    node.note("must be a single value");
  }
  return nullptr;
}

template <typename T>
std::optional<T> parse_number(const std::string& text) {
  T value{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

ConfigNode ConfigNode::child(std::string_view key) const {
  ConfigNode result;
  for (const auto& [name, child] : state_->children) {
    if (name != key) continue;
    child->is_known = true;
    result.state_ = child;
    return result;
  }
  if (state_->kind == NodeKind::kScalar || state_->kind == NodeKind::kSequence) {
    state_->note("must be a map");
    state_->kind = NodeKind::kNull;  // said once
    state_->items.clear();
  }
  // What was looked for and is not there: an unknown key beside it may be a slip of this one.
  if (state_->kind == NodeKind::kMap) state_->missed.emplace(key);
  result.state_ = make_node(state_->context, child_path(state_->path, key), state_->line);
  return result;
}

bool ConfigNode::is_present() const { return state_->kind != NodeKind::kAbsent; }
bool ConfigNode::is_sequence() const { return state_->kind == NodeKind::kSequence; }
bool ConfigNode::is_scalar() const { return state_->kind == NodeKind::kScalar; }
bool ConfigNode::is_quoted() const { return state_->is_quoted; }

std::vector<std::string> ConfigNode::keys() const {
  std::vector<std::string> keys;
  for (const auto& [name, child] : state_->children) keys.push_back(name);
  return keys;
}

std::vector<ConfigNode> ConfigNode::items() const {
  if (state_->kind == NodeKind::kScalar || state_->kind == NodeKind::kMap)
    state_->note("must be a list");
  std::vector<ConfigNode> items;
  for (const StatePtr& item : state_->items) {
    ConfigNode& node = items.emplace_back();
    node.state_ = item;
  }
  return items;
}

std::string ConfigNode::text(std::string_view fallback) const {
  const std::string* scalar = scalar_of(*state_);
  return scalar != nullptr ? *scalar : std::string(fallback);
}

std::string ConfigNode::required_text() const {
  // A list where a text is wanted has been told already; "is required" beside it would mislead.
  const std::size_t errors_before = state_->context->errors.size();
  std::string value = text();
  if (value.empty() && state_->context->errors.size() == errors_before) {
    state_->note("is required");
  }
  return value;
}

std::int64_t ConfigNode::integer(std::int64_t fallback, std::int64_t min, std::int64_t max) const {
  const std::string* scalar = scalar_of(*state_);
  if (scalar == nullptr) return fallback;
  const auto value = parse_number<std::int64_t>(*scalar);
  if (value && *value >= min && *value <= max) return *value;
  state_->note(fmt::format("\"{}\" is not a whole number from {} to {}", *scalar, min, max));
  return fallback;
}

double ConfigNode::number(double fallback, double min, double max) const {
  const std::string* scalar = scalar_of(*state_);
  if (scalar == nullptr) return fallback;
  const auto value = parse_number<double>(*scalar);
  if (value && *value >= min && *value <= max) return *value;
  state_->note(fmt::format("\"{}\" is not a number from {} to {}", *scalar, min, max));
  return fallback;
}

bool ConfigNode::boolean(bool fallback) const {
  const std::string* scalar = scalar_of(*state_);
  if (scalar == nullptr) return fallback;
  if (*scalar == "true" || *scalar == "True" || *scalar == "TRUE") return true;
  if (*scalar == "false" || *scalar == "False" || *scalar == "FALSE") return false;
  state_->note(fmt::format("\"{}\" is neither true nor false", *scalar));
  return fallback;
}

Duration ConfigNode::duration(Duration fallback) const {
  const std::string* scalar = scalar_of(*state_);
  if (scalar == nullptr) return fallback;
  if (const auto value = parse_duration(*scalar)) return *value;
  state_->note(fmt::format("\"{}\" is not a length of time such as 15s, 10m or 400d", *scalar));
  return fallback;
}

std::uint64_t ConfigNode::bytes(std::uint64_t fallback) const {
  const std::string* scalar = scalar_of(*state_);
  if (scalar == nullptr) return fallback;
  if (const auto value = parse_bytes(*scalar)) return *value;
  state_->note(fmt::format("\"{}\" is not a size such as 64KiB or 512MiB", *scalar));
  return fallback;
}

std::vector<std::string> ConfigNode::text_list() const {
  std::vector<std::string> texts;
  for (const ConfigNode& item : items()) texts.push_back(item.text());
  return texts;
}

void ConfigNode::note_error(std::string_view message) const { state_->note(message); }

void ConfigNode::accept_all() const {
  state_->is_known = true;
  state_->accepts_all = true;
}

std::string ConfigNode::path() const { return state_->path; }
int ConfigNode::line() const { return state_->line; }

Result<ConfigFile> ConfigFile::load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::kNotFound, fmt::format("{}: cannot be opened", path));
  std::string text;
  std::array<char, 16U << 10U> room{};
  // Read until the limit is passed rather than measured first: /dev/zero and a fifo have no size.
  while (file && text.size() <= kFileBytesMax) {
    file.read(room.data(), room.size());
    text.append(room.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return fail(ErrorCode::kNotFound, fmt::format("{}: cannot be read", path));
  return parse(text, path);
}

Result<ConfigFile> ConfigFile::parse(std::string_view text, std::string name) {
  if (text.size() > kFileBytesMax) {
    return fail(ErrorCode::kInvalid, fmt::format("{}: larger than {} bytes", name, kFileBytesMax));
  }
  try {
    // YAML::Load would read the first and say nothing of the rest.
    if (has_two_documents(text)) {
      return fail(ErrorCode::kInvalid, fmt::format("{}: not one YAML document", name));
    }
    const YAML::Node document = YAML::Load(std::string(text));
    auto context = std::make_shared<FileContext>();
    context->name = std::move(name);
    ConfigFile file;
    file.root_.state_ = build(document, context, "", 0);
    const NodeKind kind = file.root_.state_->kind;
    if (kind == NodeKind::kScalar || kind == NodeKind::kSequence) {
      file.root_.note_error("must be a map of keys");
    }
    return file;
  } catch (const YAML::Exception& fault) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{}:{}: {}", name, fault.mark.line + 1, fault.msg));
  }
}

Result<void> ConfigFile::finish() const {
  note_unknown_keys(*root_.state_);
  const auto& errors = root_.state_->context->errors;
  if (errors.empty()) return {};
  const auto first = std::min_element(
      errors.begin(), errors.end(), [](const NotedError& left, const NotedError& right) {
        return std::pair(left.rank, left.line) < std::pair(right.rank, right.line);
      });
  return fail(ErrorCode::kInvalid, first->text);
}

}  // namespace vigia::service
