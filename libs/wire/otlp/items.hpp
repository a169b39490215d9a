// Whether a resource, scope, span or log record may be taken as it lies in the body: every message
// in it can be read, texts are UTF-8, attributes nest at most kAnyValueDepthMax deep, ids have
// their length. All throw protozero::exception on damaged bytes.
#pragma once

#include <cstdint>
#include <string_view>

namespace vigia::wire::otlp {

bool is_valid_resource(std::string_view resource);
bool is_valid_scope(std::string_view scope);
/// A span needs a trace id of 16 bytes and a span id of 8, not all zero (trace.proto).
bool is_valid_span(std::string_view span);
/// A record's ids may be missing.
bool is_valid_log_record(std::string_view record);

/// What else the door asks of an item, found in the same pass.
struct ItemFacts {
  bool is_valid = false;         ///< as above; the rest is whole only where it is
  bool has_time = false;         ///< a span's start; a record's time, or when it was observed
  std::uint32_t attributes = 0;  ///< its own and those of its events and links
  std::uint32_t parts = 0;       ///< a span's events and links
};
ItemFacts look_at_span(std::string_view span);
ItemFacts look_at_log_record(std::string_view record);

}  // namespace vigia::wire::otlp
