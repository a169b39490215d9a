// What Prometheus says of the samples that it has left out of a 2.0 request: a line for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "services/collector/delivery/parcel.hpp"

namespace vigia::collector::exporters::remote_write {

/// More lines are passed over: they are read on an event loop, and enough is named by then.
inline constexpr std::size_t kLinesReadMax = 256;

/// How many of the lines end in a series. The destination has written each into its log, too.
std::uint64_t count_refused_lines(std::string_view text);

/// Those of lines that end in a series: "… for series {__name__="up", node="n"}".
std::vector<delivery::RefusedSeries> read_refused_lines(std::string_view text);

}  // namespace vigia::collector::exporters::remote_write
