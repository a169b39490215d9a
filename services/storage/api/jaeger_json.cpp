#include "services/storage/api/jaeger_json.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/base/json_text.hpp"
#include "libs/wire/otlp/field_reader.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "services/storage/api/attribute_json.hpp"
#include "services/storage/store/span_tags.hpp"

namespace vigia::storage::api {
namespace {

using wire::otlp::FieldReader;
using wire::otlp::ProtoField;
using wire::otlp::ResourceField;
using wire::otlp::ScopeField;
using wire::otlp::SpanEventField;
using wire::otlp::SpanField;
using wire::otlp::SpanLinkField;
using wire::otlp::SpanStatusField;

constexpr std::uint64_t kNsPerUs = 1000;
constexpr std::uint64_t kStatusError = 2;
// A resource of a mebibyte, hashed for each span, took a millisecond of it: it is compared, which
// takes a twentieth.
constexpr std::size_t kLargeBytes = 16U << 10U;
constexpr std::size_t kLargeBytesMax = 4U << 20U;  // of all of them; others are hashed

// A comma before each element but the first.
class Commas {
 public:
  explicit Commas(std::string& out) : out_(out) {}
  std::string& next() {
    if (!is_first_) out_ += ',';
    is_first_ = false;
    return out_;
  }

 private:
  std::string& out_;
  bool is_first_ = true;
};

template <typename... Parts>
void append_text(std::string& out, fmt::format_string<Parts...> format, Parts&&... parts) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Parts>(parts)...);
}

// Calls visit(bytes) for each such field of a message.
template <typename Visit>
void for_each_bytes(std::string_view message, const ProtoField& field, Visit&& visit) {
  FieldReader reader(message);
  while (reader.next()) {
    if (reader.tag_and_type() == field.tag) {
      visit(reader.bytes());
    } else {
      reader.skip();
    }
  }
}

void append_text_tag(std::string& out, std::string_view key, std::string_view text) {
  append_text(out, R"({{"key":"{}","type":"string","value":)", key);
  append_json_text(out, text);
  out += '}';
}

void append_tag(std::string& out, const wire::otlp::KeyValueView& attribute) {
  out += R"({"key":)";
  append_json_text(out, attribute.key);
  append_text(out, R"(,"type":"{}","value":)", value_type(attribute.value));
  append_value_json(out, attribute.value);
  out += '}';
}

void append_tags(Commas& list, const wire::otlp::Attributes& attributes) {
  wire::otlp::for_each_attribute(attributes, [&](const wire::otlp::KeyValueView& attribute) {
    append_tag(list.next(), attribute);
  });
}

void append_reference(std::string& out, std::string_view type, std::string_view trace_id,
                      std::string_view span_id) {
  append_text(out, R"({{"refType":"{}","traceID":"{}","spanID":"{}"}})", type, to_hex(trace_id),
              to_hex(span_id));
}

void append_link(std::string& out, std::string_view link) {
  std::string_view trace_id;
  std::string_view span_id;
  FieldReader reader(link);
  while (reader.next()) {
    if (reader.tag_and_type() == SpanLinkField::kTraceId.tag) {
      trace_id = reader.bytes();
    } else if (reader.tag_and_type() == SpanLinkField::kSpanId.tag) {
      span_id = reader.bytes();
    } else {
      reader.skip();
    }
  }
  append_reference(out, "FOLLOWS_FROM", trace_id, span_id);
}

void append_references(std::string& out, const store::SpanOutline& head, std::string_view span) {
  Commas list(out);
  if (head.parent_id.find_first_not_of('\0') != std::string_view::npos) {
    append_reference(list.next(), "CHILD_OF", head.trace_id, head.parent_id);
  }
  for_each_bytes(span, SpanField::kLinks,
                 [&](std::string_view link) { append_link(list.next(), link); });
}

void append_event(std::string& out, std::string_view event) {
  std::uint64_t time_ns = 0;
  FieldReader reader(event);
  while (reader.next()) {
    if (reader.tag_and_type() == SpanEventField::kTime.tag) {
      time_ns = reader.fixed64();
    } else {
      reader.skip();
    }
  }
  append_text(out, R"({{"timestamp":{},"fields":[)", time_ns / kNsPerUs);
  Commas fields(out);
  for_each_bytes(event, SpanEventField::kName,
                 [&](std::string_view name) { append_text_tag(fields.next(), "event", name); });
  append_tags(fields, {event, SpanEventField::kAttributes.number});
  out += "]}";
}

void append_status(Commas& tags, std::string_view status) {
  std::string_view message;
  std::uint64_t code = 0;
  FieldReader reader(status);
  while (reader.next()) {
    if (reader.tag_and_type() == SpanStatusField::kMessage.tag) {
      message = reader.bytes();
    } else if (reader.tag_and_type() == SpanStatusField::kCode.tag) {
      code = reader.varint();
    } else {
      reader.skip();
    }
  }
  if (code == 0) return;
  const bool is_error = code == kStatusError;
  append_text_tag(tags.next(), "otel.status_code", is_error ? "ERROR" : "OK");
  if (is_error) tags.next() += R"({"key":"error","type":"bool","value":true})";
  if (!message.empty()) append_text_tag(tags.next(), "otel.status_description", message);
}

void append_scope(Commas& tags, std::string_view scope) {
  FieldReader reader(scope);
  while (reader.next()) {
    if (reader.tag_and_type() == ScopeField::kName.tag) {
      append_text_tag(tags.next(), "otel.scope.name", reader.bytes());
    } else if (reader.tag_and_type() == ScopeField::kVersion.tag) {
      append_text_tag(tags.next(), "otel.scope.version", reader.bytes());
    } else {
      reader.skip();
    }
  }
}

void append_span_tags(std::string& out, const store::SpanOutline& head,
                      const store::EventView& event) {
  Commas tags(out);
  append_tags(tags, {event.item, SpanField::kAttributes.number});
  for_each_bytes(event.item, SpanField::kStatus,
                 [&](std::string_view status) { append_status(tags, status); });
  const std::string_view kind = store::kind_name(head.kind);
  if (!kind.empty()) append_text_tag(tags.next(), "span.kind", kind);
  append_scope(tags, event.scope);
}

}  // namespace

JaegerTrace::JaegerTrace(std::string_view trace_id) : trace_id_(to_hex(trace_id)) {}

JsonCost JaegerTrace::cost_of(const store::EventView& event) {
  JsonCost cost = span_cost(event);
  process_ = process_of(event.resource);
  if (!process_.empty()) return cost;
  const JsonCost process = process_cost(event.resource);
  const std::size_t kept = is_kept(event.resource) ? event.resource.size() : 0;
  return {cost.json + process.json + kept, std::max(cost.scratch, process.scratch)};
}

void JaegerTrace::add(const store::EventView& event, const JsonCost& cost) {
  const std::string process = process_.empty() ? add_process(event.resource) : process_;
  const store::SpanOutline head = store::outline_of(event.item);
  const std::uint64_t duration_ns = head.duration_ns();
  spans_.append(cost.json, [&](std::string& out) {
    if (span_count_ > 0) out += ',';
    append_text(out, R"({{"traceID":"{}","spanID":"{}","operationName":)", trace_id_,
                to_hex(head.span_id));
    append_json_text(out, head.name);
    out += R"(,"references":[)";
    append_references(out, head, event.item);
    append_text(out, R"(],"startTime":{},"duration":{},"tags":[)", head.start_ns / kNsPerUs,
                duration_ns / kNsPerUs);
    append_span_tags(out, head, event);
    out += R"(],"logs":[)";
    Commas logs(out);
    for_each_bytes(event.item, SpanField::kEvents,
                   [&](std::string_view each) { append_event(logs.next(), each); });
    append_text(out, R"(],"processID":"{}","warnings":null}})", process);
  });
  ++span_count_;
}

/// "" where it is new.
std::string JaegerTrace::process_of(std::string_view resource) const {
  if (resource.size() >= kLargeBytes) {
    for (const LargeResource& one : large_) {
      if (one.bytes == resource) return one.process;
    }
  }
  const auto at = process_ids_.find(store::hash_labels(0, resource));
  return at == process_ids_.end() ? "" : at->second;
}

bool JaegerTrace::is_kept(std::string_view resource) const {
  return resource.size() >= kLargeBytes && large_bytes_ + resource.size() <= kLargeBytesMax;
}

std::string JaegerTrace::add_process(std::string_view resource) {
  std::string id = fmt::format("p{}", process_ids_.size() + 1);
  const std::string_view service = store::service_of(resource);
  processes_.append(process_cost(resource).json, [&](std::string& out) {
    append_text(out, R"({}"{}":{{"serviceName":)", process_ids_.empty() ? "" : ",", id);
    append_json_text(out, service);
    out += R"(,"tags":[)";
    Commas tags(out);
    wire::otlp::for_each_attribute({resource, ResourceField::kAttributes.number},
                                   [&](const wire::otlp::KeyValueView& attribute) {
                                     if (attribute.key != "service.name")
                                       append_tag(tags.next(), attribute);
                                   });
    out += "]}";
  });
  process_ids_.emplace(store::hash_labels(0, resource), id);
  if (is_kept(resource)) {
    large_bytes_ += resource.size();
    large_.push_back({std::string(resource), id});
  }
  return id;
}

std::string JaegerTrace::finish(bool is_cut, std::string_view gaps) {
  constexpr std::size_t kEnds = 512;
  std::string text;
  text.reserve(bytes() + kEnds + gaps.size());
  text += R"({"data":[)";
  move_to(text, is_cut, gaps);
  text += R"(],"total":1,"limit":0,"offset":0,"errors":null})";
  return text;
}

void JaegerTrace::move_to(std::string& text, bool is_cut, std::string_view gaps) {
  append_text(text, R"({{"traceID":"{}","spans":[)", trace_id_);
  spans_.move_to(text);
  text += R"(],"processes":{)";
  processes_.move_to(text);
  text += R"(},"warnings":)";
  const bool has_warnings = is_cut || !gaps.empty();
  text += has_warnings ? "[" : "null";
  Commas warnings(text);
  if (is_cut) append_json_text(warnings.next(), "the trace has more spans than are shown");
  if (!gaps.empty()) append_json_text(warnings.next(), gaps);
  text += has_warnings ? "]" : "";
  text += '}';
}

}  // namespace vigia::storage::api
