// Export requests of one resource, for tests of stores.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "services/storage/store/events.hpp"

namespace vigia::storage::store {

std::string span_of(std::string_view trace_id, char span_id, TimestampNs start_ns);
std::string log_record_of(TimestampNs time_ns, const std::string& text);
/// One resource of the customer, with these attributes besides, and one scope and the items, all
/// spans or all log records.
std::string export_of(const std::string& customer, const std::vector<std::string>& items,
                      const std::vector<std::pair<std::string, std::string>>& attributes = {});

}  // namespace vigia::storage::store
