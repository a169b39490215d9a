// Reads a JSON document whole, and refuses what readers could understand in two ways.
#pragma once

#include <cstddef>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/json/value.hpp"

namespace vigia::json {

/// Nesting of a document; our own requests have two levels, Prometheus' answers six.
inline constexpr std::size_t kJsonDepthMax = 16;
/// Bytes of a document: Alertmanager's answers, 10,000 alerts, are 20 MB.
inline constexpr std::size_t kDocumentBytesMax = 64U << 20U;

/// Parses one document. kInvalid: not JSON, not UTF-8, longer than kDocumentBytesMax, deeper than
/// kJsonDepthMax, a doubled key, an integer outside 64 bits.
Result<JsonValue> parse_json(std::string_view text);

}  // namespace vigia::json
