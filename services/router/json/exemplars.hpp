// Exemplars in the stores' answers, by series.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/sample.hpp"

namespace vigia::router::json {

/// By series, each exemplar once, whichever stores have it. One thread at a time.
class ExemplarList {
 public:
  /// The data of /api/v1/query_exemplars: [{"seriesLabels":{…},"exemplars":[{"labels":{…},
  /// "value":"0.2","timestamp":1.5},…]},…], of series that carry the customer; of all where none is
  /// given. null is an empty list. kCorrupt on anything else.
  static Result<ExemplarList> read(std::string_view json,
                                   const std::optional<CustomerId>& customer);

  void add(const ExemplarList& other);
  std::size_t series() const { return series_.size(); }
  /// What it holds in memory.
  std::size_t bytes() const { return bytes_; }
  /// Puts the same form behind what `out` has: by series, of each by time, spelt as Prometheus
  /// does.
  void write(std::string& out) const;

 private:
  /// Stores spell numbers in several ways, so all are spelt anew: equal ones are equal then.
  struct Exemplar {
    TimestampMs time_ms = 0;
    std::string labels;  ///< JSON, by name
    std::string value;
    bool operator<(const Exemplar& other) const {
      return std::tie(time_ms, labels, value) < std::tie(other.time_ms, other.labels, other.value);
    }
  };
  using Series = std::map<std::string, std::set<Exemplar>, std::less<>>;

  void add(const std::string& series, Exemplar exemplar);

  Series series_;  ///< by their labels as JSON, by name
  std::size_t bytes_ = 0;
};

}  // namespace vigia::router::json
