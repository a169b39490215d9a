#include "libs/json/strict_reader.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

namespace vigia::json {

namespace {

namespace dom = simdjson::dom;

Result<JsonValue> convert(dom::element element);

Result<JsonValue> convert_array(dom::array array) {
  JsonValue::Array items;
  items.reserve(array.size());
  for (const dom::element item : array) {
    auto value = convert(item);
    if (!value) return forward(value);
    items.push_back(std::move(*value));
  }
  return JsonValue(std::move(items));
}

Result<JsonValue> convert_object(dom::object object) {
  JsonValue::Object members;
  std::vector<std::string_view> names;
  for (const auto& [name, element] : object) {
    auto value = convert(element);
    if (!value) return forward(value);
    // A view of the parser's own text, which stays until the whole document is converted.
    names.push_back(name);
    members.emplace_back(std::string(name), std::move(*value));
  }
  std::sort(names.begin(), names.end());
  // Refused, since readers differ in which one counts (RFC 8259, section 4). Sorted views, so that
  // it costs n log n: a comparison of each with each could be asked for by strangers.
  const auto doubled = std::adjacent_find(names.begin(), names.end());
  if (doubled != names.end()) {
    return fail(ErrorCode::kInvalid, fmt::format("the field {} stands there twice", *doubled));
  }
  return JsonValue(std::move(members));
}

// Recursion is bounded: the parser has refused anything deeper than kJsonDepthMax.
Result<JsonValue> convert(dom::element element) {
  switch (element.type()) {
    case dom::element_type::ARRAY:
      return convert_array(dom::array(element));
    case dom::element_type::OBJECT:
      return convert_object(dom::object(element));
    case dom::element_type::INT64:
      return JsonValue(std::int64_t{element});
    case dom::element_type::UINT64:
      // Above INT64_MAX; as a double it would become another number without a word.
      return fail(ErrorCode::kInvalid, "an integer is too large");
    case dom::element_type::DOUBLE:
      return JsonValue(double{element});
    case dom::element_type::STRING:
      return JsonValue(std::string(std::string_view{element}));
    case dom::element_type::BOOL:
      return JsonValue(bool{element});
    default:  // null, which is a type of its own here
      return JsonValue();
  }
}

}  // namespace

Result<JsonValue> parse_json(std::string_view text) {
  dom::parser parser(kDocumentBytesMax);
  // Allocated by hand because only this call takes a depth.
  if (parser.allocate(std::max<std::size_t>(text.size(), 64), kJsonDepthMax) != simdjson::SUCCESS) {
    return fail(ErrorCode::kUnavailable, "no memory for a JSON document");
  }
  dom::element root;
  const auto failure = parser.parse(text.data(), text.size()).get(root);
  if (failure != simdjson::SUCCESS) {
    return fail(ErrorCode::kInvalid,
                fmt::format("not a JSON document: {}", simdjson::error_message(failure)));
  }
  return convert(root);
}

}  // namespace vigia::json
