// What a span says of itself: its service, its operation, and the tags by which it is found. As
// Jaeger shows a span of OTLP, so that what a person reads on the page is what he can ask for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "services/storage/store/events.hpp"
#include "services/storage/store/trace_query.hpp"

namespace vigia::storage::store {

/// What SDKs send where nobody has named the service (semantic conventions, "Service").
inline constexpr std::string_view kUnknownService = "unknown_service";

/// A resource's service.name, kUnknownService where there is none. A view into it. Throws
/// protozero::exception on damaged bytes, as all here do.
std::string_view service_of(std::string_view resource);

/// What a span says of itself but for its tags; "" or 0 where it does not.
struct SpanOutline {
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view parent_id;
  std::string_view name;
  std::uint32_t kind = 0;
  TimestampNs start_ns = 0;
  TimestampNs end_ns = 0;
  /// 0 where it ends before it starts.
  std::uint64_t duration_ns() const { return end_ns > start_ns ? end_ns - start_ns : 0; }
};
SpanOutline outline_of(std::string_view span);

/// "internal", "server", "client", "producer", "consumer"; "" for what has no name.
std::string_view kind_name(std::uint32_t kind);

/// A tag's value, which is made text only where somebody asks for it.
class TagValue {
 public:
  static TagValue text(std::string_view text) { return TagValue(text, true); }
  static TagValue any(std::string_view any_value) { return TagValue(any_value, false); }
  /// Into the value itself, or into `scratch`.
  std::string_view as_text(std::string& scratch) const;

 private:
  TagValue(std::string_view bytes, bool is_text) : bytes_(bytes), is_text_(is_text) {}
  std::string_view bytes_;
  bool is_text_;
};

class TagVisitor {
 public:
  virtual ~TagVisitor() = default;
  /// False: no more are wanted.
  virtual bool on_tag(std::string_view key, const TagValue& value) = 0;
};

/// The tags of a span itself: its attributes, span.kind, and of its status error=true,
/// otel.status_code (OK, ERROR) and otel.status_description; each event's attributes and, as
/// "event", its name. False where the visitor wanted no more.
bool visit_span_tags(std::string_view span, TagVisitor& visitor);
/// The tags that all spans of a resource and a scope have: the attributes of both, otel.scope.name
/// and otel.scope.version.
bool visit_origin_tags(std::string_view resource, std::string_view scope, TagVisitor& visitor);

/// Whether the span has all that the query asks for; its time is not looked at.
bool has_all(const TraceQuery& query, const EventView& span);

}  // namespace vigia::storage::store
