// Our own form of a Prometheus' series (prometheus_body.hpp) as OTLP that any receiver reads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"

namespace vigia::series {

struct PublicOtlp {
  std::string body;
  /// Points that have no form there: exemplars without a value.
  std::uint32_t left_out = 0;
};

/// Whether some of the metrics body stands in our own form; a look for its schema URL.
bool has_own_form(std::string_view body);

/// Native histograms become exponential ones, those of custom buckets explicit ones, each in a
/// metric of its own. What OTLP cannot say is nearest to it: counts of float histograms are whole
/// numbers, hints of resets are left out, and so wide a range that no receiver holds it is merged
/// down. All else is byte for byte what it was. kInvalid for what is no such body.
Result<PublicOtlp> to_public_otlp(std::string_view body);

}  // namespace vigia::series
