// What one hot shard is known to lack of single customers.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "libs/model/sample.hpp"

namespace vigia::router::coverage {

/// As the collectors write it, `vigia_hot_hole{of_customer="…",kind="…"}`: what of a customer's
/// data the shard lacks, while its heartbeats (ShardCoverage) speak for all others. Not
/// thread-safe.
class CustomerHoles {
 public:
  /// Seconds since 1970, by customer: since when the shard holds all again.
  using Seconds = std::map<std::string, double>;

  void forget();
  /// Of all that the shard shows.
  void replace(const Seconds& lost, const Seconds& waiting);
  /// Of what it has shown lately: losses known already stay; who waits is told anew each time.
  void update(const Seconds& lost, const Seconds& waiting);

  /// Whether something of the customer's, of anybody's where none is named, is on its way to the
  /// shard still.
  bool is_waiting(const std::optional<std::string>& customer) const;
  /// Since when the shard has all of what it will ever have of that customer, or of all.
  std::optional<TimestampMs> whole_from(const std::optional<std::string>& customer) const;

 private:
  std::map<std::string, TimestampMs> lost_;
  Seconds waiting_;
};

}  // namespace vigia::router::coverage
