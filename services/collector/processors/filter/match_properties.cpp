#include "services/collector/processors/filter/match_properties.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "libs/ottl/parser.hpp"

namespace vigia::collector::processors::filter {
namespace {

using service::ConfigNode;

enum class MatchBy { kStrict, kRegexp };

std::string joined(const std::vector<std::string>& all, std::string_view word) {
  return all.size() == 1 ? all.front()
                         : fmt::format("({})", fmt::join(all, fmt::format(" {} ", word)));
}

/// "" where the texts are none.
std::string one_of(std::string_view path, const std::vector<std::string>& texts, MatchBy type) {
  std::vector<std::string> all;
  for (const std::string& text : texts) {
    all.push_back(type == MatchBy::kStrict
                      ? fmt::format("{} == {}", path, ottl::quoted(text))
                      : fmt::format("IsMatch({}, {})", path, ottl::quoted(text)));
  }
  return all.empty() ? "" : joined(all, "or");
}

/// A scalar as it is written in a condition: what stands in quotes in the file is a text.
std::string literal_of(const ConfigNode& node) {
  const std::string text = node.text();
  if (node.is_quoted()) return ottl::quoted(text);
  if (text == "true" || text == "false") return text;
  std::int64_t whole = 0;
  const char* end = text.data() + text.size();
  if (const auto read = std::from_chars(text.data(), end, whole);
      read.ec == std::errc() && read.ptr == end && !text.empty())
    return text;
  double real = 0;
  if (const auto read = std::from_chars(text.data(), end, real);
      read.ec == std::errc() && read.ptr == end && text.find('.') != std::string::npos)
    return fmt::format("Double({})", ottl::quoted(text));
  return ottl::quoted(text);
}

/// Of a list of {key, value} all have to match; "" where there is none.
std::string all_of(std::string_view attributes, const ConfigNode& list, MatchBy type) {
  std::vector<std::string> all;
  for (const ConfigNode& item : list.items()) {
    const std::string path =
        fmt::format("{}[{}]", attributes, ottl::quoted(item.child("key").required_text()));
    const ConfigNode value = item.child("value");
    if (!value.is_present()) {
      all.push_back(path + " != nil");
    } else if (type == MatchBy::kRegexp) {
      all.push_back(fmt::format("IsMatch({}, {})", path, ottl::quoted(value.text())));
    } else {
      all.push_back(fmt::format("{} == {}", path, literal_of(value)));
    }
  }
  return all.empty() ? "" : joined(all, "and");
}

MatchBy read_type(const ConfigNode& node, config::Notes& notes) {
  const ConfigNode type = node.child("match_type");
  const std::string text = type.text();
  // The cache of expressions is upstream's own: here they are read once.
  const ConfigNode options = node.child("regexp");
  for (const char* key : {"cacheenabled", "cachemaxnumentries"})
    config::take_note(options.child(key), "expressions are read once", notes);
  if (text == "regexp") return MatchBy::kRegexp;
  if (text != "strict")
    (type.is_present() ? type : node).note_error("a match_type is strict or regexp");
  return MatchBy::kStrict;
}

void add(std::vector<std::string>& all, std::string condition) {
  if (!condition.empty()) all.push_back(std::move(condition));
}

/// As files name them, in any case: "INFO", "warn2", "9".
std::optional<std::string> severity_of(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  int number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec == std::errc() && read.ptr == end)
    return number >= 1 && number <= 24 ? std::optional(text) : std::nullopt;
  const std::string name = "SEVERITY_NUMBER_" + text;
  return name != "SEVERITY_NUMBER_UNSPECIFIED" && ottl::is_enum(name) ? std::optional(name)
                                                                      : std::nullopt;
}

std::string severity(const ConfigNode& node) {
  if (!node.is_present()) return "";
  const ConfigNode min = node.child("min");
  const bool takes_none = node.child("match_undefined").boolean(false);
  const auto number = severity_of(min.text());
  if (!number) {
    (min.is_present() ? min : node).note_error("min is a severity, as INFO or WARN2");
    return "";
  }
  const std::string above = fmt::format("log.severity_number >= {}", *number);
  return takes_none ? fmt::format("({} or log.severity_number == 0)", above) : above;
}

std::vector<MatchCondition> read_metrics(const ConfigNode& node, MatchBy type) {
  std::vector<MatchCondition> conditions;
  const std::string names = one_of("metric.name", node.child("metric_names").text_list(), type);
  if (!names.empty()) conditions.push_back({ottl::Context::kMetric, names});
  const std::string resources =
      all_of("resource.attributes", node.child("resource_attributes"), type);
  if (!resources.empty()) conditions.push_back({ottl::Context::kResource, resources});
  return conditions;
}

std::vector<std::string> read_logs(const ConfigNode& node, MatchBy type) {
  std::vector<std::string> all;
  add(all, severity(node.child("severity_number")));
  add(all, one_of("log.severity_text", node.child("severity_texts").text_list(), type));
  if (const std::string bodies = one_of("log.body", node.child("bodies").text_list(), type);
      !bodies.empty())
    all.push_back("IsString(log.body) and " + bodies);
  add(all, all_of("log.attributes", node.child("record_attributes"), type));
  add(all, all_of("resource.attributes", node.child("resource_attributes"), type));
  return all;
}

std::string libraries(const ConfigNode& list, MatchBy type) {
  std::vector<std::string> all;
  for (const ConfigNode& item : list.items()) {
    std::string one = one_of("scope.name", {item.child("name").required_text()}, type);
    if (const ConfigNode version = item.child("version"); version.is_present())
      one = fmt::format("({} and {})", one, one_of("scope.version", {version.text()}, type));
    all.push_back(std::move(one));
  }
  return all.empty() ? "" : joined(all, "or");
}

std::vector<std::string> read_spans(const ConfigNode& node, MatchBy type) {
  std::vector<std::string> all;
  add(all,
      one_of("resource.attributes[\"service.name\"]", node.child("services").text_list(), type));
  add(all, one_of("span.name", node.child("span_names").text_list(), type));
  add(all, one_of("span.kind.deprecated_string", node.child("span_kinds").text_list(), type));
  add(all, all_of("span.attributes", node.child("attributes"), type));
  add(all, all_of("resource.attributes", node.child("resources"), type));
  add(all, libraries(node.child("libraries"), type));
  return all;
}

}  // namespace

std::vector<MatchCondition> read_match(const ConfigNode& node, Signal signal,
                                       config::Notes& notes) {
  const MatchBy type = read_type(node, notes);
  if (signal == Signal::kMetrics) {
    if (const ConfigNode expressions = node.child("expressions"); expressions.is_present()) {
      expressions.note_error("is not taken: write them as conditions of metric_conditions");
      expressions.accept_all();
    }
    return read_metrics(node, type);
  }
  const bool is_logs = signal == Signal::kLogs;
  const std::vector<std::string> all = is_logs ? read_logs(node, type) : read_spans(node, type);
  if (all.empty()) return {};
  return {{is_logs ? ottl::Context::kLog : ottl::Context::kSpan, joined(all, "and")}};
}

}  // namespace vigia::collector::processors::filter
