// What of a selector storage looks at, and what it does not know.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/matcher.hpp"

namespace vigia::router::api::loki {

/// The labels that tell streams apart; whatever else a line says is its structured metadata.
inline constexpr std::array<std::string_view, 5> kStreamLabels{"customer_id", "environment",
                                                               "level", "node_id", "service_name"};

/// Storage's parameters for one selector's matchers.
struct StreamQuery {
  /// False: no line of anybody's can be meant, and nothing needs to be asked.
  bool selects_something = true;
  std::string streams;   ///< of `query`: {service_name="shop"}
  std::string severity;  ///< of `matcher`; empty: whatever it is
};

/// A matcher of a label that is none of kStreamLabels is met by all streams or by none, as where a
/// label is absent. kInvalid for an expression that RE2 does not take.
Result<StreamQuery> stream_query_of(const std::vector<Matcher>& matchers);

}  // namespace vigia::router::api::loki
