// Calls: which function, and whether its arguments are what it takes.
#include <algorithm>

#include <fmt/format.h>

#include "libs/ottl/internal/compiler.hpp"
#include "libs/ottl/internal/nodes.hpp"
#include "libs/ottl/limits.hpp"
#include "libs/ottl/parser.hpp"

namespace vigia::ottl::internal {
namespace {

constexpr std::string_view kFenced =
    "this attribute says whose data it is (customer.id) and cannot be changed";

const std::string* text_in(const Node& node) {
  const auto* literal = std::get_if<LiteralNode>(&node.node);
  return literal == nullptr ? nullptr : std::get_if<std::string>(&literal->value);
}

/// Whether it is the same for all items: written here, and so are its parts.
bool is_constant(const Node& node) {
  if (const auto* list = std::get_if<ListNode>(&node.node))
    return std::all_of(list->elements.begin(), list->elements.end(),
                       [](const NodePtr& element) { return is_constant(*element); });
  if (const auto* map = std::get_if<MapNode>(&node.node))
    return std::all_of(map->entries.begin(), map->entries.end(),
                       [](const auto& entry) { return is_constant(*entry.second); });
  return std::holds_alternative<LiteralNode>(node.node) ||
         std::holds_alternative<EnumNode>(node.node) ||
         std::holds_alternative<NegateNode>(node.node);
}

/// The kind that an argument of the form has; nil: any.
ValueForm wanted(ParameterForm form) {
  switch (form) {
    case ParameterForm::kString:
    case ParameterForm::kReplacement:
      return ValueForm::kString;
    case ParameterForm::kInt:
      return ValueForm::kInt;
    case ParameterForm::kMap:
      return ValueForm::kMap;
    case ParameterForm::kList:
      return ValueForm::kList;
    default:
      return ValueForm::kNil;
  }
}

}  // namespace

const Function* Compiler::function_of(const CallNode& node, std::size_t offset) {
  const Function* function = find_function(node.name);
  const bool is_editor = node.name.front() >= 'a' && node.name.front() <= 'z';
  if (function == nullptr) {
    return note(offset, fmt::format("the function {} is not taken; there are {}", node.name,
                                    is_editor ? editor_names() : converter_names()));
  }
  if (function->only_in && *function->only_in != context_)
    return note(offset, fmt::format("{} is of a {}, not of a {}", node.name,
                                    name_of(*function->only_in), name_of(context_)));
  return function;
}

bool Compiler::place_arguments(const CallNode& node, const Function& function,
                               std::vector<const Argument*>& placed) {
  placed.assign(function.parameters.size(), nullptr);
  bool has_named = false;
  for (std::size_t i = 0; i < node.arguments.size(); ++i) {
    const Argument& argument = node.arguments[i];
    std::size_t at = i;
    if (argument.name.empty()) {
      if (has_named) note(argument.offset, "arguments with a name stand behind those without one");
      if (i >= placed.size())
        note(argument.offset, fmt::format("{} takes {} arguments", node.name, placed.size()));
    } else {
      has_named = true;
      const auto found =
          std::find_if(function.parameters.begin(), function.parameters.end(),
                       [&](const Parameter& each) { return each.name == argument.name; });
      if (found == function.parameters.end())
        note(argument.offset, fmt::format("{} takes no argument {}", node.name, argument.name));
      at = static_cast<std::size_t>(found - function.parameters.begin());
    }
    if (error_) return false;
    if (placed[at] != nullptr)
      note(argument.offset, fmt::format("{} stands twice", function.parameters[at].name));
    placed[at] = &argument;
  }
  return !error_;
}

std::optional<Call> Compiler::call(const CallNode& node, std::size_t offset) {
  const Function* function = function_of(node, offset);
  if (function == nullptr) return std::nullopt;
  std::vector<const Argument*> placed;
  if (!place_arguments(node, *function, placed)) return std::nullopt;
  ++budget_.accesses;  // it may look at the item by itself
  Call made{function, offset, {}};
  made.slots.resize(placed.size());
  for (std::size_t i = 0; i < placed.size(); ++i) {
    if (placed[i] == nullptr) {
      if (function->parameters[i].is_optional) continue;
      note(offset,
           fmt::format("{} needs the argument {}", node.name, function->parameters[i].name));
      return std::nullopt;
    }
    made.slots[i].is_given = true;
    made.slots[i].offset = placed[i]->value->offset;
    if (!argument(made, i, *placed[i]->value)) return std::nullopt;
  }
  const std::string wrong = function->check == nullptr ? "" : function->check(made);
  if (!wrong.empty()) {
    note(offset, fmt::format("{}: {}", node.name, wrong));
    return std::nullopt;
  }
  return made;
}

bool Compiler::argument(Call& call, std::size_t at, const Node& node) {
  Slot& slot = call.slots[at];
  const Parameter& parameter = call.function->parameters[at];
  switch (parameter.form) {
    case ParameterForm::kTarget:
    case ParameterForm::kMapTarget:
      return target(slot, parameter, node);
    case ParameterForm::kRegex:
    case ParameterForm::kGlob:
      return pattern(slot, parameter, node);
    case ParameterForm::kReplacement:
      return replacement(call, at, node);
    case ParameterForm::kText:
    case ParameterForm::kWhole:
    case ParameterForm::kFlag:
      return constant(slot, parameter, node);
    case ParameterForm::kTexts:
    case ParameterForm::kValues:
      return values(slot, parameter, node);
    case ParameterForm::kFunction:
      return applied(slot, node);
    default:
      return value(slot, parameter, node);
  }
}

bool Compiler::target(Slot& slot, const Parameter& parameter, const Node& node) {
  if (!std::holds_alternative<PathNode>(node.node)) {
    note(node.offset, fmt::format("{} is a path, like log.attributes", parameter.name));
    return false;
  }
  slot.path = path(node);
  if (!slot.path) return false;
  const PathField& field = slot.path->field();
  if (field.is_read_only) note(node.offset, fmt::format("{} cannot be set", field.name));
  if (parameter.form == ParameterForm::kMapTarget && !field.takes_keys())
    note(node.offset, fmt::format("{} is no map", field.name));
  if (slot.path->is_fenced()) note(node.offset, kFenced);
  return !error_;
}

bool Compiler::value(Slot& slot, const Parameter& parameter, const Node& node) {
  slot.getter = getter(node);
  if (!slot.getter) return false;
  const ValueForm want = wanted(parameter.form);
  const Value* literal = slot.getter->literal();
  const ValueForm kind = slot.getter->kind();
  const bool is_known = kind != ValueForm::kNil || literal != nullptr;
  const bool is_other = want != ValueForm::kNil && is_known && kind != want;
  const ValueForm only = parameter.literal;
  const bool is_written = only != ValueForm::kNil && is_constant(node);
  if (!is_other && !(is_written && kind != only)) return true;
  note(node.offset, fmt::format("{} is {}, and this is {}", parameter.name,
                                name_of(is_other ? want : only), name_of(kind)));
  return false;
}

/// A converter's name alone. Its argument is what it will be applied to.
bool Compiler::applied(Slot& slot, const Node& node) {
  const auto* name = std::get_if<EnumNode>(&node.node);
  const Function* function = name == nullptr ? nullptr : find_function(name->name);
  const bool is_of_text = function != nullptr && function->parameters.size() == 1 &&
                          function->result == ValueForm::kString &&
                          function->parameters.front().form == ParameterForm::kString;
  if (!is_of_text) {
    note(node.offset,
         "the function is a converter's name alone that makes a text of a text, as SHA256");
    return false;
  }
  slot.applied = std::make_unique<Call>();
  slot.applied->function = function;
  slot.applied->offset = node.offset;
  Slot argument;
  argument.is_given = true;
  argument.offset = node.offset;
  argument.getter = std::make_unique<ArgumentGetter>();
  slot.applied->slots.push_back(std::move(argument));
  ++budget_.accesses;
  return true;
}

bool Compiler::pattern(Slot& slot, const Parameter& parameter, const Node& node) {
  const std::string* text = text_in(node);
  if (text == nullptr) {
    note(node.offset,
         fmt::format("{} is written as a string, that it can be read once", parameter.name));
    return false;
  }
  const bool is_glob = parameter.form == ParameterForm::kGlob;
  const auto regex_text = is_glob ? regex_of_glob(*text) : *text;
  if (!regex_text) {
    note(node.offset, "a bracket in this pattern is not ended");
    return false;
  }
  auto regex =
      TextRegex::compile(*regex_text, budget_.regexes,
                         is_glob ? TextRegex::Dot::kEverything : TextRegex::Dot::kNoLineBreak);
  if (!regex) {
    note(node.offset, regex.error().message, regex.error().code);
    return false;
  }
  ++budget_.accesses;
  slot.regex = *std::move(regex);
  slot.texts = slot.regex->group_names();
  return true;
}

bool Compiler::replacement(Call& call, std::size_t at, const Node& node) {
  Slot& slot = call.slots[at];
  if (!value(slot, call.function->parameters[at], node)) return false;
  if (const Value* literal = slot.getter->literal())
    slot.replacement.emplace(literal->bytes, *call.slots[at - 1].regex);
  return true;
}

bool Compiler::constant(Slot& slot, const Parameter& parameter, const Node& node) {
  auto made = getter(node);
  if (!made) return false;
  const ValueForm want = parameter.form == ParameterForm::kText    ? ValueForm::kString
                         : parameter.form == ParameterForm::kWhole ? ValueForm::kInt
                                                                   : ValueForm::kBool;
  const Value* literal = made->literal();
  if (literal == nullptr || literal->kind != want) {
    note(node.offset, fmt::format("{} is {} that is written here", parameter.name, name_of(want)));
    return false;
  }
  slot.text = literal->bytes;
  slot.whole = literal->integer;
  slot.flag = literal->integer != 0;
  return true;
}

bool Compiler::values(Slot& slot, const Parameter& parameter, const Node& node) {
  const auto* list = std::get_if<ListNode>(&node.node);
  if (list == nullptr) {
    note(node.offset,
         fmt::format("{} is a list that is written here, like [\"a\", \"b\"]", parameter.name));
    return false;
  }
  for (const NodePtr& element : list->elements) {
    if (parameter.form == ParameterForm::kValues) {
      slot.values.push_back(getter(*element));
      if (!slot.values.back()) return false;
      continue;
    }
    const std::string* text = text_in(*element);
    if (text == nullptr) {
      note(element->offset, fmt::format("{} has strings", parameter.name));
      return false;
    }
    slot.texts.push_back(*text);
  }
  return true;
}

/// What an editor's target has to be with its other arguments.
bool Compiler::check_target(const Call& call) {
  const Path& path = *call.slots[0].path;
  const std::string_view name = call.function->name;
  if (name == "delete_key") {
    const Value* key = call.slots[1].getter->literal();
    if (key != nullptr && path.is_kept(key->bytes)) note(call.slots[1].offset, kFenced);
  }
  const ValueForm has = path.has_keys() ? ValueForm::kNil : path.field().kind;
  if (name == "set" && has != ValueForm::kNil) {
    const Getter& value = *call.slots[1].getter;
    const bool is_nil = value.literal() != nullptr && value.literal()->is_nil();
    const bool is_other = value.kind() != ValueForm::kNil && value.kind() != has;
    if (is_other || (is_nil && has != ValueForm::kMap))
      note(call.slots[1].offset, fmt::format("{} holds {}, and this is {}", path.field().name,
                                             name_of(has), name_of(value.kind())));
  }
  if (name.starts_with("replace_") && has != ValueForm::kNil && has != ValueForm::kString &&
      has != ValueForm::kMap)
    note(path.offset(),
         fmt::format("{} holds {}, in which nothing is replaced", path.field().name, name_of(has)));
  if (name == "append" && has != ValueForm::kNil)
    note(path.offset(), fmt::format("{} holds {}, and no list", path.field().name, name_of(has)));
  return !error_;
}

std::optional<std::string> regex_of_glob(std::string_view glob) {
  std::string regex;
  int braces = 0;
  for (std::size_t i = 0; i < glob.size(); ++i) {
    const char c = glob[i];
    if (c == '*') {
      regex += ".*";
    } else if (c == '?') {
      regex += '.';
    } else if (c == '{') {
      ++braces;
      regex += "(?:";
    } else if (c == '}' && braces > 0) {
      --braces;
      regex += ')';
    } else if (c == ',' && braces > 0) {
      regex += '|';
    } else if (c == '[') {
      const std::size_t end = glob.find(']', i + 2);
      if (end == std::string_view::npos) return std::nullopt;
      const bool is_negative = glob[i + 1] == '!';
      regex += is_negative ? "[^" : "[";
      for (const char inner :
           glob.substr(i + 1 + (is_negative ? 1 : 0), end - i - 1 - (is_negative ? 1 : 0))) {
        if (inner == '\\' || inner == '[' || inner == '^') regex += '\\';
        regex += inner;
      }
      regex += ']';
      i = end;
    } else {
      if (c == '\\' && i + 1 < glob.size()) ++i;
      if (std::string_view("\\.+*?()|[]{}^$").find(glob[i]) != std::string_view::npos)
        regex += '\\';
      regex += glob[i];
    }
  }
  if (braces != 0) return std::nullopt;
  return regex;
}

}  // namespace vigia::ottl::internal
