// What the long-term store says of data that it will never get.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/sample.hpp"
#include "services/router/upstream/upstream.hpp"

namespace vigia::router::coverage {

/// Of what was received in that time something is missing for ever.
struct ColdHole {
  TimestampMs from_ms = 0;
  TimestampMs to_ms = 0;
  std::string customer;  ///< "": of anybody
};

/// Reads `vigia_cold_hole{collector="…",of_customer="…"}`, which the collectors write into the
/// store, every now and then from prometheus-query. Thread contract: everything public from any
/// thread; one thread of its own polls.
class ColdHoles {
 public:
  static constexpr auto kPoll = std::chrono::seconds(15);
  /// Samples are taken so far ahead of when they are received.
  static constexpr TimestampMs kAheadMs = 5 * 60'000;
  /// As long as anything is kept.
  static constexpr std::string_view kRange = "1100d";

  /// Polls until destroyed. `query`, null where there is no long-term store, and the clock outlive
  /// it.
  ColdHoles(const upstream::Upstream* query, const Clock& clock);
  ~ColdHoles();
  ColdHoles(const ColdHoles&) = delete;
  ColdHoles& operator=(const ColdHoles&) = delete;

  /// What an answer over that time has to say, to that customer, or to all where none is named;
  /// nothing where no hole lies in it. Times of others' holes are shown to nobody.
  std::optional<std::string> warning(const std::optional<CustomerId>& customer, TimestampMs from_ms,
                                     TimestampMs to_ms) const;
  /// In place of what was known.
  void replace(std::vector<ColdHole> holes);

 private:
  void run();
  void poll();

  const upstream::Upstream* const query_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable stopping_;
  bool is_stopping_ = false;
  std::vector<ColdHole> holes_;
  std::thread thread_;
};

}  // namespace vigia::router::coverage
