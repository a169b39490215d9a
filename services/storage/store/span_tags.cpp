#include "services/storage/store/span_tags.hpp"

#include <algorithm>
#include <iterator>

#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/field_reader.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::storage::store {
namespace {

using wire::otlp::FieldReader;
using wire::otlp::KeyValueView;
using wire::otlp::ResourceField;
using wire::otlp::ScopeField;
using wire::otlp::SpanEventField;
using wire::otlp::SpanField;
using wire::otlp::SpanStatusField;

constexpr std::uint64_t kStatusOk = 1;
constexpr std::uint64_t kStatusError = 2;
constexpr std::string_view kKinds[] = {"", "internal", "server", "client", "producer", "consumer"};

bool visit_attribute(std::string_view bytes, TagVisitor& visitor) {
  const KeyValueView attribute = wire::otlp::read_key_value(bytes);
  return visitor.on_tag(attribute.key, TagValue::any(attribute.value));
}

bool visit_event(std::string_view event, TagVisitor& visitor) {
  FieldReader reader(event);
  bool goes_on = true;
  while (goes_on && reader.next()) {
    if (reader.tag_and_type() == SpanEventField::kName.tag) {
      goes_on = visitor.on_tag("event", TagValue::text(reader.bytes()));
    } else if (reader.tag_and_type() == SpanEventField::kAttributes.tag) {
      goes_on = visit_attribute(reader.bytes(), visitor);
    } else {
      reader.skip();
    }
  }
  return goes_on;
}

bool visit_status(std::string_view status, TagVisitor& visitor) {
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
  if (code != kStatusOk && code != kStatusError) return true;
  const bool is_error = code == kStatusError;
  if (!visitor.on_tag("otel.status_code", TagValue::text(is_error ? "ERROR" : "OK"))) return false;
  if (is_error && !visitor.on_tag("error", TagValue::text("true"))) return false;
  return message.empty() || visitor.on_tag("otel.status_description", TagValue::text(message));
}

bool visit_kind(std::uint64_t kind, TagVisitor& visitor) {
  const auto name = kind < std::size(kKinds) ? kKinds[kind] : "";
  return name.empty() || visitor.on_tag("span.kind", TagValue::text(name));
}

bool visit_resource(std::string_view resource, TagVisitor& visitor) {
  FieldReader reader(resource);
  while (reader.next()) {
    if (reader.tag_and_type() != ResourceField::kAttributes.tag) {
      reader.skip();
    } else if (!visit_attribute(reader.bytes(), visitor)) {
      return false;
    }
  }
  return true;
}

bool visit_scope(std::string_view scope, TagVisitor& visitor) {
  FieldReader reader(scope);
  bool goes_on = true;
  while (goes_on && reader.next()) {
    switch (reader.tag_and_type()) {
      case ScopeField::kName.tag:
        goes_on = visitor.on_tag("otel.scope.name", TagValue::text(reader.bytes()));
        break;
      case ScopeField::kVersion.tag:
        goes_on = visitor.on_tag("otel.scope.version", TagValue::text(reader.bytes()));
        break;
      case ScopeField::kAttributes.tag:
        goes_on = visit_attribute(reader.bytes(), visitor);
        break;
      default:
        reader.skip();
    }
  }
  return goes_on;
}

// Which of the wanted tags were met.
class Wanted final : public TagVisitor {
 public:
  explicit Wanted(const std::vector<TagMatch>& tags)
      : tags_(tags), is_met_(tags.size()), missing_(tags.size()) {}
  bool on_tag(std::string_view key, const TagValue& value) override {
    for (std::size_t i = 0; i < tags_.size(); ++i) {
      if (is_met_[i] || tags_[i].key != key) continue;
      scratch_.clear();
      if (value.as_text(scratch_) != tags_[i].value) continue;
      is_met_[i] = true;
      --missing_;
    }
    return missing_ > 0;
  }
  bool has_all() const { return missing_ == 0; }

 private:
  const std::vector<TagMatch>& tags_;
  std::vector<bool> is_met_;
  std::size_t missing_;
  std::string scratch_;
};

}  // namespace

std::string_view service_of(std::string_view resource) {
  std::string_view service = kUnknownService;
  wire::otlp::for_each_attribute({resource, ResourceField::kAttributes.number},
                                 [&](const KeyValueView& attribute) {
                                   if (attribute.key != "service.name") return;
                                   const auto named = wire::otlp::string_value(attribute.value);
                                   if (!named.empty()) service = named;
                                 });
  return service;
}

SpanOutline outline_of(std::string_view span) {
  SpanOutline outline;
  FieldReader reader(span);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case SpanField::kTraceId.tag:
        outline.trace_id = reader.bytes();
        break;
      case SpanField::kSpanId.tag:
        outline.span_id = reader.bytes();
        break;
      case SpanField::kParentSpanId.tag:
        outline.parent_id = reader.bytes();
        break;
      case SpanField::kName.tag:
        outline.name = reader.bytes();
        break;
      case SpanField::kKind.tag:
        outline.kind = static_cast<std::uint32_t>(reader.varint());
        break;
      case SpanField::kStartTime.tag:
        outline.start_ns = reader.fixed64();
        break;
      case SpanField::kEndTime.tag:
        outline.end_ns = reader.fixed64();
        break;
      default:
        reader.skip();
    }
  }
  return outline;
}

std::string_view kind_name(std::uint32_t kind) {
  return kind < std::size(kKinds) ? kKinds[kind] : std::string_view();
}

// One string and nothing else, as nearly all are, is no copy.
std::string_view TagValue::as_text(std::string& scratch) const {
  if (is_text_) return bytes_;
  FieldReader reader(bytes_);
  if (!reader.next()) return {};
  if (reader.tag_and_type() == wire::otlp::AnyValueField::kString.tag) {
    const std::string_view text = reader.bytes();
    if (!reader.next()) return text;
  }
  scratch.clear();
  wire::otlp::append_value_text(scratch, bytes_);
  return scratch;
}

bool visit_span_tags(std::string_view span, TagVisitor& visitor) {
  FieldReader reader(span);
  bool goes_on = true;
  while (goes_on && reader.next()) {
    switch (reader.tag_and_type()) {
      case SpanField::kAttributes.tag:
        goes_on = visit_attribute(reader.bytes(), visitor);
        break;
      case SpanField::kEvents.tag:
        goes_on = visit_event(reader.bytes(), visitor);
        break;
      case SpanField::kStatus.tag:
        goes_on = visit_status(reader.bytes(), visitor);
        break;
      case SpanField::kKind.tag:
        goes_on = visit_kind(reader.varint(), visitor);
        break;
      default:
        reader.skip();
    }
  }
  return goes_on;
}

bool visit_origin_tags(std::string_view resource, std::string_view scope, TagVisitor& visitor) {
  return visit_resource(resource, visitor) && visit_scope(scope, visitor);
}

bool has_all(const TraceQuery& query, const EventView& span) {
  const SpanOutline outline = outline_of(span.item);
  if (!query.operation.empty() && query.operation != outline.name) return false;
  const std::uint64_t duration_ns = outline.duration_ns();
  if (duration_ns < query.shortest_ns || duration_ns > query.longest_ns) return false;
  if (service_of(span.resource) != query.service) return false;
  if (query.tags.empty()) return true;
  Wanted wanted(query.tags);
  if (visit_span_tags(span.item, wanted)) visit_origin_tags(span.resource, span.scope, wanted);
  return wanted.has_all();
}

}  // namespace vigia::storage::store
