// Export requests of one resource, for tests of stores.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "services/storage/store/events.hpp"

namespace vigia::storage::store {

std::string span_of(std::string_view trace_id, char span_id, TimestampNs start_ns);
/// A span of which more is said. Text attributes; one event with the attributes where it has any.
struct SpanSaid {
  std::string name = "GET";
  std::uint64_t duration_ns = 1'000;
  std::vector<std::pair<std::string, std::string>> tags = {};
  std::vector<std::pair<std::string, std::string>> event_tags = {};
  bool is_error = false;
  int kind = 0;
};
std::string span_of(std::string_view trace_id, char span_id, TimestampNs start_ns,
                    const SpanSaid& said);
std::string log_record_of(TimestampNs time_ns, const std::string& text);
/// One resource of the customer, with these attributes besides, and one scope and the items, all
/// spans or all log records.
std::string export_of(const std::string& customer, const std::vector<std::string>& items,
                      const std::vector<std::pair<std::string, std::string>>& attributes = {});

}  // namespace vigia::storage::store
