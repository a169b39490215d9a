// Items of OTLP as text that people read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "libs/model/signal.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/walker.hpp"

namespace vigia::collector::exporters::debug {

/// No text becomes more; what is over is cut behind a whole character, with "…".
inline constexpr std::size_t kTextBytesMax = 8U << 10U;

/// Which message bytes are.
enum class ShownPart : std::uint8_t { kResource, kScope, kSpan, kLogRecord, kPoint };

/// The message as OTLP/JSON; of a point `kind` says which. What cannot be read is left out.
std::string json_of(ShownPart part, std::string_view bytes,
                    wire::otlp::MetricKind kind = wire::otlp::MetricKind::kNone);

/// "key=value key=value".
std::string attributes_text(const wire::otlp::Attributes& attributes);

/// What a data point says: "41.5", or "count=3 sum=7.5".
std::string value_text(wire::otlp::MetricKind kind, std::string_view point);

}  // namespace vigia::collector::exporters::debug
