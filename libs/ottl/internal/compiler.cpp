#include "libs/ottl/internal/compiler.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/ottl/internal/nodes.hpp"
#include "libs/ottl/parser.hpp"

namespace vigia::ottl::internal {
namespace {

std::string name_of(const PathNode& path) {
  std::string name;
  for (const PathStep& step : path.steps) {
    if (!name.empty()) name += '.';
    name += step.name;
  }
  return name;
}

}  // namespace

std::nullptr_t Compiler::note(std::size_t offset, std::string_view message, ErrorCode code) {
  if (!error_) error_ = Error{code, fmt::format("{}: {}", place_in(text_, offset), message)};
  return nullptr;
}

StatementActionPtr Compiler::action(const Node& node) {
  const auto& called = std::get<CallNode>(node.node);
  auto made = call(called, node.offset);
  if (!made || !check_target(*made)) return nullptr;
  return std::make_unique<CallAction>(*std::move(made));
}

std::optional<std::vector<TestPtr>> Compiler::tests(const std::vector<NodePtr>& nodes) {
  std::vector<TestPtr> all;
  for (const NodePtr& node : nodes) {
    all.push_back(test(*node));
    if (!all.back()) return std::nullopt;
  }
  return all;
}

TestPtr Compiler::test(const Node& node) {
  if (const auto* either = std::get_if<OrNode>(&node.node)) {
    auto all = tests(either->operands);
    return all ? std::make_unique<JoinedTest>(*std::move(all), true) : nullptr;
  }
  if (const auto* both = std::get_if<AndNode>(&node.node)) {
    auto all = tests(both->operands);
    return all ? std::make_unique<JoinedTest>(*std::move(all), false) : nullptr;
  }
  if (const auto* negated = std::get_if<NotNode>(&node.node)) {
    auto inner = test(*negated->operand);
    return inner ? std::make_unique<NotTest>(std::move(inner)) : nullptr;
  }
  if (const auto* compared = std::get_if<CompareNode>(&node.node)) {
    auto left = getter(*compared->left);
    auto right = left ? getter(*compared->right) : nullptr;
    if (!right) return nullptr;
    return std::make_unique<CompareTest>(compared->comparison, std::move(left), std::move(right));
  }
  auto value = getter(node);
  if (!value) return nullptr;
  if (value->kind() != ValueForm::kBool && value->kind() != ValueForm::kNil)
    return note(node.offset, fmt::format("a condition is true or false, and this is {}",
                                         ottl::name_of(value->kind())));
  return std::make_unique<ValueTest>(std::move(value), node.offset);
}

GetterPtr Compiler::getter(const Node& node) {
  if (const auto* constant = std::get_if<LiteralNode>(&node.node)) return literal(*constant);
  if (const auto* name = std::get_if<EnumNode>(&node.node)) return enumerator(*name, node.offset);
  if (std::holds_alternative<PathNode>(node.node)) return path(node);
  if (const auto* called = std::get_if<CallNode>(&node.node))
    return converter(*called, node.offset);
  if (const auto* elements = std::get_if<ListNode>(&node.node)) return list(*elements);
  if (const auto* entries = std::get_if<MapNode>(&node.node)) return map(*entries);
  if (const auto* negate = std::get_if<NegateNode>(&node.node)) {
    auto operand = getter(*negate->operand);
    return operand ? std::make_unique<NegateGetter>(std::move(operand), node.offset) : nullptr;
  }
  if (const auto* math = std::get_if<MathNode>(&node.node)) {
    auto left = getter(*math->left);
    auto right = left ? getter(*math->right) : nullptr;
    if (!right) return nullptr;
    return std::make_unique<MathGetter>(math->op, std::move(left), std::move(right), node.offset);
  }
  return note(node.offset, "a value is wanted, not a condition");
}

GetterPtr Compiler::literal(const LiteralNode& node) {
  const auto make = [](std::string text, Value value) {
    return std::make_unique<LiteralGetter>(std::move(text), value);
  };
  if (const auto* flag = std::get_if<bool>(&node.value)) return make({}, Value::of_bool(*flag));
  if (const auto* whole = std::get_if<std::int64_t>(&node.value))
    return make({}, Value::of_int(*whole));
  if (const auto* real = std::get_if<double>(&node.value)) return make({}, Value::of_double(*real));
  if (const auto* text = std::get_if<std::string>(&node.value))
    return make(*text, Value::of_string({}));
  if (const auto* bytes = std::get_if<BytesLiteral>(&node.value))
    return make(bytes->bytes, Value::of_bytes({}));
  return make({}, {});
}

GetterPtr Compiler::enumerator(const EnumNode& node, std::size_t offset) {
  const auto value = enum_value(node.name);
  const bool has_lower =
      std::any_of(node.name.begin(), node.name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (!value && (has_lower || find_function(node.name) != nullptr))
    return note(offset, fmt::format("\"(\" is missing behind the converter {}", node.name));
  if (!value) return note(offset, fmt::format("{} is no name that stands for a number", node.name));
  if (!has_enum(context_, node.name))
    return note(offset,
                fmt::format("{} is none of the names of a {}", node.name, ottl::name_of(context_)));
  return std::make_unique<LiteralGetter>(std::string{}, Value::of_int(*value));
}

GetterPtr Compiler::list(const ListNode& node) {
  std::vector<GetterPtr> elements;
  for (const NodePtr& element : node.elements) {
    elements.push_back(getter(*element));
    if (!elements.back()) return nullptr;
  }
  return std::make_unique<ListGetter>(std::move(elements));
}

GetterPtr Compiler::map(const MapNode& node) {
  std::vector<std::pair<std::string, GetterPtr>> entries;
  for (const auto& [key, value] : node.entries) {
    entries.emplace_back(key, getter(*value));
    if (!entries.back().second) return nullptr;
  }
  return std::make_unique<MapGetter>(std::move(entries));
}

GetterPtr Compiler::converter(const CallNode& node, std::size_t offset) {
  if (node.name.front() >= 'a' && node.name.front() <= 'z')
    return note(offset,
                fmt::format("{} is an editor, which gives no value: a converter has a large "
                            "first letter",
                            node.name));
  auto made = call(node, offset);
  if (!made) return nullptr;
  auto under = keys(node.keys);
  if (!under) return nullptr;
  return std::make_unique<CallGetter>(*std::move(made), *std::move(under));
}

std::optional<std::vector<PathKey>> Compiler::keys(const std::vector<NodePtr>& nodes) {
  std::vector<PathKey> all;
  for (const NodePtr& node : nodes) {
    PathKey key;
    auto value = getter(*node);
    if (!value) return std::nullopt;
    if (const Value* known = value->literal()) {
      key.is_text = known->kind == ValueForm::kString;
      key.text = known->bytes;
      key.index = known->integer;
    } else {
      key.getter = std::move(value);
    }
    all.push_back(std::move(key));
  }
  return all;
}

const PathField* Compiler::field_of(const PathNode& path, std::size_t offset) {
  const auto named = context_of(path);
  if (named && !sees(context_, *named)) {
    return note(offset, fmt::format("{} is not seen from a {}", ottl::name_of(*named),
                                    ottl::name_of(context_)));
  }
  std::string name = name_of(path);
  const std::string whole = name;
  if (named) name.erase(0, path.steps.front().name.size() + 1);
  const Context context = named.value_or(context_);
  const bool is_cache = name == "cache" && context == context_;
  const PathField* field = find_field(is_cache ? MessageLevel::kCache : level_of(context), name);
  if (field == nullptr)
    return note(offset,
                fmt::format("{} is no field of a {} that is taken", whole, ottl::name_of(context)));
  return field;
}

std::unique_ptr<Path> Compiler::path(const Node& node) {
  const auto& path = std::get<PathNode>(node.node);
  const PathField* field = field_of(path, node.offset);
  if (field == nullptr) return nullptr;
  for (const PathStep& step : path.steps) {
    const bool may_have = &step == &path.steps.back() && field->takes_keys();
    if (!step.keys.empty() && !may_have)
      return note(node.offset, fmt::format("{} has no keys", step.name));
  }
  auto under = keys(path.steps.back().keys);
  if (!under) return nullptr;
  ++budget_.accesses;
  return std::make_unique<Path>(*field, *std::move(under), budget_.is_fenced, node.offset);
}

}  // namespace vigia::ottl::internal
