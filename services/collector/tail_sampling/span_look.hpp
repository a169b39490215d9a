// What a logged body of spans says of traces.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "libs/base/result.hpp"
#include "services/collector/tail_sampling/policy.hpp"

namespace vigia::collector::tail_sampling {

/// Calls `see` for each span, in their order, numbered as wire::otlp::walk does, with what the
/// conditions find in it and its resource. Spans without an id of 16 bytes are passed over: intake
/// takes none. Errors: as wire::otlp::walk.
Result<std::uint32_t> look_at_spans(
    std::string_view body, const std::vector<SpanCondition>& conditions,
    const std::function<void(std::uint32_t item, const TraceId& id, const TraceFacts& span)>& see);

/// The ids alone.
Result<std::uint32_t> look_at_trace_ids(
    std::string_view body, const std::function<void(std::uint32_t item, const TraceId& id)>& see);

}  // namespace vigia::collector::tail_sampling
