#include "libs/service/config.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/service/config_tree.hpp"

namespace vigia::service {

namespace {

using State = ConfigNode::State;

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
  result.state_ = make_node(*state_, child_path(state_->path, key), state_->line);
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

namespace {

Result<std::string> read_file(const std::string& path) {
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
  return text;
}

}  // namespace

Result<ConfigFile> ConfigFile::load(const std::string& path) {
  return load_all(std::vector<std::string>{path});
}

Result<ConfigFile> ConfigFile::load_all(const std::vector<std::string>& paths) {
  const auto context = std::make_shared<FileContext>();
  StatePtr root;
  for (const std::string& path : paths) {
    auto text = read_file(path);
    if (!text) return forward(text);
    auto next = parse_tree(context, *text, path);
    if (!next) return forward(next);
    const bool is_empty = (*next)->kind == NodeKind::kNull || (*next)->kind == NodeKind::kAbsent;
    if (!root)
      root = *std::move(next);
    else if (!is_empty)
      root = merge_trees(root, *next);
  }
  CHECK(root != nullptr);
  ConfigFile file;
  file.root_.state_ = std::move(root);
  return file;
}

Result<ConfigFile> ConfigFile::parse(std::string_view text, std::string name) {
  auto root = parse_tree(std::make_shared<FileContext>(), text, std::move(name));
  if (!root) return forward(root);
  ConfigFile file;
  file.root_.state_ = *std::move(root);
  return file;
}

Result<void> ConfigFile::finish() const {
  note_unknown_keys(*root_.state_);
  const auto& errors = root_.state_->context->errors;
  if (errors.empty()) return {};
  const auto first = std::min_element(errors.begin(), errors.end(),
                                      [](const NotedError& left, const NotedError& right) {
                                        return std::tuple(left.rank, left.file, left.line) <
                                               std::tuple(right.rank, right.file, right.line);
                                      });
  return fail(ErrorCode::kInvalid, first->text);
}

}  // namespace vigia::service
