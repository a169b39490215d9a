// OTLP/JSON to the protobuf form, so that everything behind has one path (opentelemetry-proto,
// "JSON Protobuf Encoding"; R-JSON-1 to R-JSON-6).
#pragma once

#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/signal.hpp"

namespace vigia::wire::otlp {

/// A larger body is kTooLarge: what is parsed stands in memory some four times.
inline constexpr std::size_t kJsonBytesMax = 16U << 20U;
/// One with more of `{}[]:,"` is, too: the parser keeps the place of each, in 4 bytes. A point of
/// a time and a value has 14 in 33 bytes.
inline constexpr std::size_t kJsonMarksMax = 8U << 20U;
/// Objects and arrays within each other; 64 levels of AnyValue are two each, and the envelope.
inline constexpr int kJsonDepthMax = 160;

/// The request in protobuf. Trace and span ids are hex in either case, other bytes base64, enums
/// integers, 64-bit integers numbers or strings, NaN and Infinity strings; unknown keys are passed
/// over, null means absent. kInvalid, naming the key, for anything else.
Result<std::string> json_to_protobuf(Signal signal, std::string_view json);
/// The same without a copy: the text gets the room behind it that the parser needs.
Result<std::string> json_to_protobuf(Signal signal, std::string& json);

}  // namespace vigia::wire::otlp
