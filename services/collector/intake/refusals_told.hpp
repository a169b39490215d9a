// Of whom something is refused and why, for the log: a line a minute at most of each.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"

namespace vigia::collector::intake {

/// A sender that is refused is told in its answer; the provider, who is asked why, finds it here.
/// Thread contract: any thread.
class RefusalsTold {
 public:
  static constexpr Duration kLineEach = std::chrono::minutes(1);
  /// Customers and reasons that are remembered; those that were told longest ago go first.
  static constexpr std::size_t kKnownMax = 20'000;

  /// What a line says: how many since the last one.
  struct Refusals {
    std::uint64_t requests = 0;
    std::uint64_t items = 0;
  };

  explicit RefusalsTold(const Clock& clock) : clock_(clock) {}
  /// Of one request: its line, where one is due.
  std::optional<Refusals> note(const CustomerId& customer, std::string_view reason,
                               std::uint64_t items);
  /// The same, and writes the line, with `why` as an example.
  void tell(const CustomerId& customer, std::string_view reason, std::uint64_t items,
            std::string_view why);

 private:
  struct Known {
    TimePoint next{};
    Refusals left_out;
  };
  void forget_old(TimePoint now);

  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Known, std::less<>> known_;
};

}  // namespace vigia::collector::intake
