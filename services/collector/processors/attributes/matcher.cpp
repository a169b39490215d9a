#include "services/collector/processors/attributes/matcher.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <re2/re2.h>

#include "libs/wire/edit/value.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "services/collector/processors/config_value.hpp"

namespace vigia::collector::processors::attributes {
namespace {

using service::ConfigNode;
using wire::edit::Editable;
using wire::edit::read_value;
using wire::edit::ValueKind;
using wire::edit::ValueView;
using wire::otlp::LogRecordField;
using wire::otlp::SpanField;

constexpr std::array<std::string_view, 6> kSpanKinds{"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                                     "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                                     "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
/// What upstream compares where a resource names no service.
constexpr std::string_view kNoService = "<nil-service-name>";

/// Doubles as upstream writes them here: without an exponent.
std::string text_of(std::string_view any_value) {
  const ValueView value = read_value(any_value);
  if (value.kind == ValueKind::kDouble) {
    std::array<char, 1100> digits{};  // 309 before the point, or 1,074 behind it
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(),
                                            value.real, std::chars_format::fixed);
    if (error == std::errc{}) return {digits.data(), end};
  }
  std::string text;
  wire::otlp::append_value_text(text, any_value);
  return text;
}

bool is_equal(std::string_view left, std::string_view right) {
  const ValueView a = read_value(left);
  const ValueView b = read_value(right);
  if (a.kind != b.kind) return false;
  if (a.kind == ValueKind::kDouble) return a.real == b.real;
  return a.bytes == b.bytes && a.integer == b.integer && a.truth == b.truth;
}

bool matches_text(const AttributeFilter& filter, std::string_view any_value) {
  switch (read_value(any_value).kind) {
    case ValueKind::kText:
    case ValueKind::kBool:
    case ValueKind::kInt:
    case ValueKind::kDouble:
      return filter.text->matches(text_of(any_value));
    default:
      return false;
  }
}

bool match_all(const std::vector<AttributeFilter>& filters, Editable& message) {
  return std::all_of(filters.begin(), filters.end(), [&](const AttributeFilter& filter) {
    const auto found = message.attribute(filter.key);
    if (!found) return false;
    if (filter.text) return matches_text(filter, *found);
    return !filter.value || is_equal(*filter.value, *found);
  });
}

std::vector<AttributeFilter> read_attributes(const ConfigNode& list, bool is_regexp) {
  std::vector<AttributeFilter> filters;
  for (const ConfigNode& node : list.items()) {
    AttributeFilter filter{node.child("key").required_text(), read_any_value(node.child("value")),
                           std::nullopt};
    if (is_regexp && filter.value) {
      const ConfigNode value = node.child("value");
      if (read_value(*filter.value).kind != ValueKind::kText)
        value.note_error("match_type regexp compares texts: put it in quotes");
      filter.text = TextFilter::read({value.text()}, true, value);
    }
    filters.push_back(std::move(filter));
  }
  return filters;
}

std::vector<LibraryFilter> read_libraries(const ConfigNode& list, bool is_regexp) {
  std::vector<LibraryFilter> filters;
  for (const ConfigNode& node : list.items()) {
    LibraryFilter filter;
    filter.name = TextFilter::read({node.child("name").text()}, is_regexp, node);
    const ConfigNode version = node.child("version");
    if (version.is_present())
      filter.version = TextFilter::read({version.text()}, is_regexp, version);
    filters.push_back(std::move(filter));
  }
  return filters;
}

bool read_is_regexp(const ConfigNode& node, config::Notes& notes) {
  const ConfigNode type = node.child("match_type");
  const std::string text = type.required_text();
  if (!text.empty() && text != "strict" && text != "regexp")
    type.note_error(fmt::format("\"{}\" is not strict or regexp", text));
  for (const char* key : {"cacheenabled", "cachemaxnumentries"})
    config::take_note(node.child("regexp").child(key), "expressions take linear time as they are",
                      notes);
  return text == "regexp";
}

/// Keys that have no meaning for a signal, as upstream has it.
struct KeyOfSignals {
  const char* key;
  bool metrics, traces, logs;
};
constexpr std::array kKeys{
    KeyOfSignals{"services", false, true, false},
    KeyOfSignals{"span_names", false, true, false},
    KeyOfSignals{"span_kinds", false, true, false},
    KeyOfSignals{"log_bodies", false, false, true},
    KeyOfSignals{"log_severity_texts", false, false, true},
    KeyOfSignals{"log_severity_number", false, false, true},
    KeyOfSignals{"metric_names", true, false, false},
    KeyOfSignals{"resources", true, true, true},
    KeyOfSignals{"attributes", false, true, true},
    KeyOfSignals{"libraries", false, true, true},
};

bool has(const KeyOfSignals& key, Signal signal) {
  if (signal == Signal::kMetrics) return key.metrics;
  return signal == Signal::kTraces ? key.traces : key.logs;
}

void refuse_keys(const ConfigNode& node, const std::set<Signal>& signals) {
  bool has_one = false;
  for (const KeyOfSignals& key : kKeys) {
    const ConfigNode child = node.child(key.key);
    if (!child.is_present()) continue;
    has_one = true;
    for (const Signal signal : signals) {
      if (has(key, signal)) continue;
      child.note_error(fmt::format(
          "does not exist for {}, and a pipeline of {} names this processor: use another one there",
          to_string(signal), to_string(signal)));
    }
  }
  if (!has_one)
    node.note_error(
        "names nothing to compare: services, resources, attributes, libraries, "
        "span_names, span_kinds, log_bodies, log_severity_texts, log_severity_number "
        "or metric_names");
}

void check_kinds(const ConfigNode& list, bool is_regexp) {
  if (is_regexp) return;
  for (const ConfigNode& node : list.items()) {
    const std::string kind = node.text();
    if (std::find(kSpanKinds.begin() + 1, kSpanKinds.end(), kind) == kSpanKinds.end())
      node.note_error(
          fmt::format("\"{}\" is no kind of span: SPAN_KIND_INTERNAL, …_SERVER, "
                      "…_CLIENT, …_PRODUCER, …_CONSUMER are",
                      kind));
  }
}

}  // namespace

TextFilter TextFilter::read(const std::vector<std::string>& texts, bool is_regexp,
                            const ConfigNode& node) {
  TextFilter filter;
  if (!is_regexp) {
    filter.texts_.insert(texts.begin(), texts.end());
    return filter;
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  for (const std::string& text : texts) {
    auto pattern = std::make_shared<const re2::RE2>(text, options);
    if (!pattern->ok())
      node.note_error(fmt::format("no regular expression: {}", pattern->error()));
    else
      filter.patterns_.push_back(std::move(pattern));
  }
  return filter;
}

bool TextFilter::matches(std::string_view text) const {
  if (texts_.find(text) != texts_.end()) return true;
  const re2::StringPiece piece(text.data(), text.size());
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const auto& pattern) { return re2::RE2::PartialMatch(piece, *pattern); });
}

PropertiesMatcher PropertiesMatcher::read(const ConfigNode& node, const std::set<Signal>& signals,
                                          config::Notes& notes) {
  const bool is_regexp = read_is_regexp(node, notes);
  PropertiesMatcher matcher;
  const auto texts = [&](const char* key) {
    const ConfigNode list = node.child(key);
    return TextFilter::read(list.text_list(), is_regexp, list);
  };
  matcher.services_ = texts("services");
  matcher.span_names_ = texts("span_names");
  matcher.span_kinds_ = texts("span_kinds");
  check_kinds(node.child("span_kinds"), is_regexp);
  matcher.log_bodies_ = texts("log_bodies");
  matcher.log_severity_texts_ = texts("log_severity_texts");
  matcher.metric_names_ = texts("metric_names");
  matcher.resources_ = read_attributes(node.child("resources"), is_regexp);
  matcher.attributes_ = read_attributes(node.child("attributes"), is_regexp);
  matcher.libraries_ = read_libraries(node.child("libraries"), is_regexp);
  matcher.read_severity(node.child("log_severity_number"));
  refuse_keys(node, signals);
  return matcher;
}

void PropertiesMatcher::read_severity(const ConfigNode& node) {
  if (!node.is_present()) return;
  severity_min_ = node.child("min").integer(0, 0, 24);
  takes_no_severity_ = node.child("match_undefined").boolean(false);
}

bool PropertiesMatcher::matches_resource(Editable& resource) const {
  if (!services_.is_empty()) {
    const auto service = resource.attribute("service.name");
    if (!services_.matches(service ? text_of(*service) : std::string(kNoService))) return false;
  }
  return match_all(resources_, resource);
}

bool PropertiesMatcher::matches_scope(Editable& scope) const {
  if (libraries_.empty()) return true;
  const std::string_view name = scope.bytes(wire::otlp::ScopeField::kName);
  const std::string_view version = scope.bytes(wire::otlp::ScopeField::kVersion);
  return std::any_of(libraries_.begin(), libraries_.end(), [&](const LibraryFilter& filter) {
    return filter.name.matches(name) && (!filter.version || filter.version->matches(version));
  });
}

bool PropertiesMatcher::matches_metric(const Editable& metric) const {
  return metric_names_.is_empty() ||
         metric_names_.matches(metric.bytes(wire::otlp::MetricField::kName));
}

bool PropertiesMatcher::matches_item(Signal signal, Editable& item) const {
  if (signal == Signal::kTraces && !matches_span(item)) return false;
  if (signal == Signal::kLogs && !matches_record(item)) return false;
  return match_all(attributes_, item);
}

bool PropertiesMatcher::matches_span(Editable& span) const {
  if (!span_names_.is_empty() && !span_names_.matches(span.bytes(SpanField::kName))) return false;
  if (span_kinds_.is_empty()) return true;
  const std::uint64_t kind = span.number(SpanField::kKind);
  return span_kinds_.matches(kind < kSpanKinds.size() ? kSpanKinds[kind] : std::string_view{});
}

bool PropertiesMatcher::matches_record(Editable& record) const {
  if (!log_bodies_.is_empty()) {
    const ValueView body = read_value(record.bytes(LogRecordField::kBody));
    // As upstream has it: a body that is no text is not compared.
    if (body.kind == ValueKind::kText && !log_bodies_.matches(body.bytes)) return false;
  }
  if (!log_severity_texts_.is_empty() &&
      !log_severity_texts_.matches(record.bytes(LogRecordField::kSeverityText)))
    return false;
  if (!severity_min_) return true;
  const std::uint64_t severity = record.number(LogRecordField::kSeverityNumber);
  if (severity == 0) return takes_no_severity_;
  return severity >= static_cast<std::uint64_t>(*severity_min_);
}

}  // namespace vigia::collector::processors::attributes
