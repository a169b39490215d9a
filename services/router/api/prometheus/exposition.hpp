// Pages in Prometheus' text format, cut to one customer.
#pragma once

#include <optional>
#include <string>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"

namespace vigia::router::api::prometheus {

/// Of the page the samples that carry the customer, and the comments (`# TYPE …`) before them; all
/// of it where none is given. kCorrupt where a line is no sample and no comment: then nothing of it
/// may go out.
Result<std::string> exposition_of(std::string page, const std::optional<CustomerId>& customer);

}  // namespace vigia::router::api::prometheus
