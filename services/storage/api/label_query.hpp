// What the label interfaces are asked: whose series, which, when, how many.
#pragma once

#include <functional>
#include <string>

#include "libs/net/message.hpp"
#include "services/storage/read/series_search.hpp"

namespace vigia::storage::api {

inline constexpr std::size_t kAnswersMax = 100'000;
inline constexpr std::size_t kMatcherSetsMax = 64;

struct LabelQuery {
  read::Fence fence;
  /// Series that all matchers of any one set match; no sets: all series.
  std::vector<store::LabelMatchers> sets;
  TimestampMs start_ms = 0;
  TimestampMs end_ms = INT64_MAX;
  bool has_range = false;
  std::size_t limit = kAnswersMax;
};

/// False where it does not know the parameter.
using OtherParameter =
    std::function<Result<bool>(const std::string& name, const std::string& value)>;

/// Reads the query string and, of a POST, the form body:
///   matcher=name<op>value   repeated; <op> is one of = != =~ !~; all have to match
///   next=1                  starts a further set of matchers ("or"), as a further match[] would
///   start, end              seconds since 1970, decimals allowed: the days that they touch
///   limit                   at most so many answers; 0 or none: 100,000
///   customer                as the header X-Vigia-Customer, with which it must agree
/// kInvalid for any other parameter that `other` does not know.
Result<LabelQuery> read_label_query(const net::Request& request, const OtherParameter& other = {});

}  // namespace vigia::storage::api
