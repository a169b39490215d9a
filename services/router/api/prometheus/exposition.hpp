// Pages in Prometheus' text format, cut to one customer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"

namespace vigia::router::api::prometheus {

/// Of the page the samples that carry the customer, and the comments (`# TYPE …`) before them; all
/// of it where none is given. kCorrupt where a line is no sample and no comment: then nothing of it
/// may go out.
Result<std::string> exposition_of(std::string page, const std::optional<CustomerId>& customer);

/// One page of several that are such: each metric once, by name, with the comments of the first
/// that has it; of a series that stands in several the latest sample.
std::string merge_pages(const std::vector<std::string>& pages);

}  // namespace vigia::router::api::prometheus
