// Converters that read texts of a form into maps and lists.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "libs/ottl/internal/function.hpp"
#include "libs/ottl/limits.hpp"
#include "libs/wire/edit/value.hpp"

namespace vigia::ottl::internal {
namespace {

namespace dom = simdjson::dom;

/// Writes JSON as encoded values, each nested one into a text of its own first: two texts for each
/// level, used again, since a short document may hold a hundred thousand lists. The depth is the
/// parser's. All numbers are floats, as upstream has them.
class EncodedJson {
 public:
  explicit EncodedJson(Evaluation& evaluation) : evaluation_(evaluation) {}

  /// Both give false with a fault where it becomes too much.
  bool write_list(std::string& out, dom::array array, std::size_t depth = 0) {
    std::string& any_value = levels_.at(depth).any_value;
    for (const dom::element element : array) {
      any_value.clear();
      if (!write(any_value, element, depth)) return false;
      append_element(out, any_value);
      if (out.size() > kMessageBytesMax) break;
    }
    return evaluation_.keep(out);
  }
  /// Of a key that stands several times the last counts.
  bool write_map(std::string& out, dom::object object, std::size_t depth = 0) {
    const std::vector<bool> is_superseded = superseded_keys(object);
    std::string& any_value = levels_.at(depth).any_value;
    std::size_t at = 0;
    for (const dom::key_value_pair& entry : object) {
      if (is_superseded[at++]) continue;
      any_value.clear();
      if (!write(any_value, entry.value, depth)) return false;
      append_entry(out, entry.key, any_value);
      if (out.size() > kMessageBytesMax) break;
    }
    return evaluation_.keep(out);
  }

 private:
  struct Level {
    std::string any_value;  ///< of one entry or element
    std::string nested;     ///< what lies in it
  };

  static std::vector<bool> superseded_keys(dom::object object) {
    std::vector<std::pair<std::string_view, std::size_t>> keys;
    for (const dom::key_value_pair& entry : object) keys.emplace_back(entry.key, keys.size());
    std::sort(keys.begin(), keys.end());
    std::vector<bool> is_superseded(keys.size());
    for (std::size_t i = 1; i < keys.size(); ++i) {
      if (keys[i].first == keys[i - 1].first) is_superseded[keys[i - 1].second] = true;
    }
    return is_superseded;
  }

  bool write(std::string& out, dom::element element, std::size_t depth) {
    std::string& nested = levels_.at(depth).nested;
    switch (element.type()) {
      case dom::element_type::ARRAY:
        nested.clear();
        return write_list(nested, dom::array(element), depth + 1) &&
               append_any_value(out, Value::of_list(nested));
      case dom::element_type::OBJECT:
        nested.clear();
        return write_map(nested, dom::object(element), depth + 1) &&
               append_any_value(out, Value::of_map(nested));
      case dom::element_type::STRING:
        return append_any_value(out, Value::of_string(std::string_view{element}));
      case dom::element_type::BOOL:
        return append_any_value(out, Value::of_bool(bool{element}));
      case dom::element_type::NULL_VALUE:
        return true;
      default:
        return append_any_value(out, Value::of_double(double{element}));
    }
  }

  Evaluation& evaluation_;
  std::array<Level, kDepthMax + 1> levels_;
};

bool parse_json(const Call& call, Evaluation& evaluation, Value& out) {
  std::string_view text;
  if (!get_string(call, 0, evaluation, text)) return false;
  if (text.size() > kParsedBytesMax) return evaluation.fail("so long a text is not read as JSON");
  evaluation.charge(text.size());
  dom::parser parser(kParsedBytesMax);
  dom::element root;
  if (parser.allocate(std::max<std::size_t>(text.size(), 64), kDepthMax) != simdjson::SUCCESS ||
      parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS)
    return evaluation.fail("this text is no JSON, or nested too deeply", call.offset);
  EncodedJson writer(evaluation);
  std::string& made = evaluation.make();
  if (root.type() == dom::element_type::OBJECT) {
    out = Value::of_map({});
    if (!writer.write_map(made, dom::object(root))) return false;
  } else if (root.type() == dom::element_type::ARRAY) {
    out = Value::of_list({});
    if (!writer.write_list(made, dom::array(root))) return false;
  } else {
    return evaluation.fail("this JSON is neither a map nor a list", call.offset);
  }
  out.bytes = made;
  return true;
}

/// Parts between the delimiter, but for what stands between quotes, which are left out; empty ones
/// are none. False where a quote is not ended.
bool split_outside_quotes(std::string_view text, std::string_view delimiter,
                          std::vector<std::string>& out) {
  std::string part;
  char quote = '\0';
  bool is_escaped = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quote == '\0' && text.substr(i).starts_with(delimiter)) {
      if (!part.empty()) out.push_back(std::exchange(part, {}));
      i += delimiter.size() - 1;
      continue;
    }
    const char c = text[i];
    if (!is_escaped) {
      if (quote == '\0' && (c == '"' || c == '\'')) {
        quote = c;
        continue;
      }
      if (c == quote) {
        quote = '\0';
        continue;
      }
    }
    is_escaped = !is_escaped && c == '\\';
    part += c;
  }
  if (!part.empty()) out.push_back(std::move(part));
  return quote == '\0';
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string_view text_or(const Slot& slot, std::string_view otherwise) {
  return slot.is_given ? std::string_view(slot.text) : otherwise;
}

bool parse_key_value(const Call& call, Evaluation& evaluation, Value& out) {
  std::string_view text;
  if (!get_string(call, 0, evaluation, text)) return false;
  if (text.empty()) return evaluation.fail("an empty text has no keys", call.offset);
  if (text.size() > kParsedBytesMax)
    return evaluation.fail("so long a text is not read as keys and values", call.offset);
  evaluation.charge(text.size());
  const std::string_view delimiter = text_or(call.slots[1], "=");
  std::vector<std::string> pairs;
  if (!split_outside_quotes(text, text_or(call.slots[2], " "), pairs))
    return evaluation.fail("a quote in this text is not ended", call.offset);
  // Of a key that stands several times the last counts.
  std::vector<std::pair<std::string_view, std::string_view>> entries;
  for (const std::string& pair : pairs) {
    const std::size_t end = pair.find(delimiter);
    if (end == std::string::npos)
      return evaluation.fail("a part of this text has no delimiter", call.offset);
    const std::string_view whole = pair;
    entries.emplace_back(trimmed(whole.substr(0, end)),
                         trimmed(whole.substr(end + delimiter.size())));
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& left, const auto& right) { return left.first < right.first; });
  std::string& list = evaluation.make();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i + 1 < entries.size() && entries[i + 1].first == entries[i].first) continue;
    append_entry(list, entries[i].first,
                 wire::edit::encoded_value(wire::edit::ValueView::of_text(entries[i].second)));
  }
  out = Value::of_map(list);
  return evaluation.keep(list);
}

std::string check_delimiters(const Call& call) {
  const std::string_view delimiter = text_or(call.slots[1], "=");
  const std::string_view between = text_or(call.slots[2], " ");
  if (delimiter.empty() || between.empty()) return "a delimiter is not empty";
  return delimiter == between ? "the delimiters are not the same" : "";
}

constexpr std::array<Parameter, 1> kText{{{"target", ParameterForm::kString}}};
constexpr std::array<Parameter, 3> kKeyValue{{{"target", ParameterForm::kString},
                                              {"delimiter", ParameterForm::kText, true},
                                              {"pair_delimiter", ParameterForm::kText, true}}};

constexpr std::array kConverters{
    Function{"ParseJSON", kText, parse_json},
    Function{"ParseKeyValue", kKeyValue, parse_key_value, ValueForm::kMap, check_delimiters},
};

}  // namespace

std::span<const Function> parse_converters() { return kConverters; }

}  // namespace vigia::ottl::internal
