// What senders of remote write 1.0 have said of their metrics, in requests of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"
#include "libs/series/said_metadata.hpp"

namespace vigia::collector::intake {

/// In memory: senders say it again and again, Prometheus once a minute. Each customer has a share
/// of the room that is smaller the more of them have said anything, and what nobody has said for
/// kForgottenAfter goes. Thread contract: any thread.
class KnownMetadata {
 public:
  static constexpr auto kForgottenAfter = std::chrono::minutes(30);
  static constexpr std::size_t kBytesMax = 64U << 20U;
  static constexpr std::size_t kCustomerBytesMax = 1U << 20U;

  explicit KnownMetadata(const Clock& clock) : clock_(clock) {}
  using Said = std::vector<std::pair<std::string, series::SaidMetadata>>;
  /// How many of them found no room.
  std::uint64_t note(const CustomerId& customer, Said said);
  /// As of now; null where nothing is known.
  std::shared_ptr<const series::MetadataTable> of(const CustomerId& customer);

 private:
  struct Owner {
    std::shared_ptr<const series::MetadataTable> table =
        std::make_shared<const series::MetadataTable>();
    std::map<std::string, TimePoint, std::less<>> said_at;
    std::size_t bytes = 0;
    TimePoint said{};
  };
  void forget_idle(TimePoint now);
  static void forget_old(Owner& owner, series::MetadataTable& table, TimePoint now);

  const Clock& clock_;
  std::mutex mutex_;
  std::map<CustomerId, Owner> owners_;
};

}  // namespace vigia::collector::intake
