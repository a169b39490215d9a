#include "services/collector/processors/attributes/read_actions.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <re2/re2.h>

#include "libs/wire/otlp/attributes.hpp"
#include "services/collector/processors/config_value.hpp"
#include "services/collector/processors/edit_body.hpp"

namespace vigia::collector::processors::attributes {
namespace {

using service::ConfigNode;

constexpr std::string_view kFenceText =
    "it says whose data it is, which is the token's to say, and no processor changes it";

void refuse_fenced(const ConfigNode& node, std::string_view key) {
  if (is_fenced(key)) node.note_error(fmt::format("\"{}\": {}", key, kFenceText));
}

/// Keys that no action of that kind may have.
void refuse(const ConfigNode& node, std::string_view action,
            std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const ConfigNode child = node.child(key);
    if (!child.is_present()) continue;
    child.note_error(fmt::format("is not of the action {}", action));
    child.accept_all();
  }
}

std::shared_ptr<const re2::RE2> read_pattern(const ConfigNode& node) {
  if (!node.is_present()) return nullptr;
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto pattern = std::make_shared<const re2::RE2>(node.required_text(), options);
  if (pattern->ok()) return pattern;
  node.note_error(fmt::format("no regular expression: {}", pattern->error()));
  return nullptr;
}

/// A pattern that finds it in any of its spellings is one that could name it.
void refuse_fenced_pattern(const ConfigNode& node, const Action& action) {
  if (action.pattern == nullptr) return;
  for (const char* key : {"customer.id", "customer_id"}) {
    if (!re2::RE2::PartialMatch(key, *action.pattern)) continue;
    node.note_error(
        fmt::format("matches \"{}\": {}; give a pattern that does not", key, kFenceText));
    return;
  }
}

void read_put(const ConfigNode& node, std::string_view name, Action& action) {
  const ConfigNode context = node.child("from_context");
  if (context.is_present()) {
    context.note_error(
        "from_context is not supported: what came with a request beside its body "
        "is not kept; value, from_attribute or default_value can be given");
    context.accept_all();
  }
  action.value = read_any_value(node.child("value"));
  action.from_attribute = node.child("from_attribute").text();
  action.default_value = read_any_value(node.child("default_value"));
  // A variable that is not set leaves nothing: that is what a default is for.
  if (action.default_value && action.value && wire::otlp::is_empty_value(*action.value))
    action.value = std::nullopt;
  const bool has_source = !action.from_attribute.empty();
  if (action.value && has_source)
    node.note_error("value and from_attribute: only one can be given");
  if (!action.value && !has_source && !action.default_value && !context.is_present())
    node.note_error("needs value, from_attribute or default_value");
  refuse(node, name, {"pattern", "converted_type"});
}

void read_extract(const ConfigNode& node, std::string_view name, Action& action) {
  const ConfigNode pattern = node.child("pattern");
  action.pattern = read_pattern(pattern);
  if (!pattern.is_present()) node.note_error("extract needs a pattern");
  refuse(node, name,
         {"value", "from_attribute", "from_context", "default_value", "converted_type"});
  if (action.pattern == nullptr) return;
  const auto& names = action.pattern->CapturingGroupNames();
  const int groups = action.pattern->NumberOfCapturingGroups();
  if (groups == 0 || static_cast<int>(names.size()) != groups) {
    pattern.note_error("every group of it needs a name, (?P<name>…), and there has to be one");
    action.pattern = nullptr;
    return;
  }
  for (const auto& [at, group] : names) {
    refuse_fenced(pattern, group);
    action.groups.push_back(group);
  }
}

void read_convert(const ConfigNode& node, std::string_view name, Action& action) {
  const ConfigNode type = node.child("converted_type");
  const std::string text = type.required_text();
  if (text == "int") {
    action.converted = ConvertedType::kInt;
  } else if (text == "double") {
    action.converted = ConvertedType::kDouble;
  } else if (!text.empty() && text != "string") {
    type.note_error(fmt::format("\"{}\" is not int, double or string", text));
  }
  refuse(node, name, {"value", "from_attribute", "from_context", "default_value", "pattern"});
}

struct ActionName {
  std::string_view name;
  ActionKind kind;
};

constexpr std::array kNames{
    ActionName{"insert", ActionKind::kInsert},   ActionName{"update", ActionKind::kUpdate},
    ActionName{"upsert", ActionKind::kUpsert},   ActionName{"delete", ActionKind::kDelete},
    ActionName{"hash", ActionKind::kHash},       ActionName{"extract", ActionKind::kExtract},
    ActionName{"convert", ActionKind::kConvert},
};

std::optional<Action> read_action(const ConfigNode& node) {
  const ConfigNode kind = node.child("action");
  std::string name = kind.required_text();
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const auto* known = std::find_if(kNames.begin(), kNames.end(),
                                   [&](const auto& each) { return each.name == name; });
  if (known == kNames.end()) {
    if (!name.empty())
      kind.note_error(fmt::format(
          "\"{}\" is not insert, update, upsert, delete, hash, extract or convert", name));
    node.accept_all();
    return std::nullopt;
  }
  Action action{.kind = known->kind};
  const bool takes_pattern = action.kind == ActionKind::kDelete || action.kind == ActionKind::kHash;
  const ConfigNode key = node.child("key");
  action.key = takes_pattern ? key.text() : key.required_text();
  // Extract only reads it.
  if (action.kind != ActionKind::kExtract) refuse_fenced(key, action.key);
  if (takes_pattern) {
    const ConfigNode pattern = node.child("pattern");
    action.pattern = read_pattern(pattern);
    refuse_fenced_pattern(pattern, action);
    if (action.key.empty() && !pattern.is_present()) node.note_error("needs key or pattern");
    refuse(node, name,
           {"value", "from_attribute", "from_context", "default_value", "converted_type"});
  } else if (action.kind == ActionKind::kExtract) {
    read_extract(node, name, action);
  } else if (action.kind == ActionKind::kConvert) {
    read_convert(node, name, action);
  } else {
    read_put(node, name, action);
  }
  return action;
}

}  // namespace

std::vector<Action> read_actions(const ConfigNode& list) {
  std::vector<Action> actions;
  for (const ConfigNode& node : list.items()) {
    if (auto action = read_action(node)) actions.push_back(*std::move(action));
  }
  if (!list.is_present() || list.items().empty()) list.note_error("names no action");
  return actions;
}

}  // namespace vigia::collector::processors::attributes
