// What of a copy the store into which it goes would keep.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/retention/classes.hpp"
#include "services/storage/retention/keeps_file.hpp"
#include "services/storage/rolling/rollup_book.hpp"
#include "services/storage/store/customer_retention.hpp"

namespace vigia::storage::keep {

/// From which day on the other store keeps what it is given; 0: all.
struct CopyKept {
  std::uint32_t samples = 0;  ///< and exemplars
  std::uint32_t spans = 0;
  std::uint32_t records = 0;
  /// By rolling::kRolledUp; nothing: it makes none of that resolution.
  rolling::MadeFrom rollups = {0, 0, 0};
};

/// As a start of that store would: a customer is kept as his class says, others as `retention:`
/// says, and nobody shorter than he was kept last, since an hour, or a person, decides that.
class CopyKeeps final : public store::CustomerRetention {
 public:
  /// `made`: which roll-ups that store makes. `state_file` is what that store noted of its
  /// customers. Its errors and the customers file's; a customers file that a start would take in
  /// part is kInvalid: whoever is left out of it would lose what his class keeps, and nobody would
  /// notice.
  static Result<CopyKeeps> read(const retention::ClassSettings& settings,
                                const retention::Keeps& all, const std::string& state_file,
                                const rolling::MadeResolutions& made = {true, true, true});

  CopyKept of(const CustomerId& customer, TimestampMs now_ms) const;

  Duration keep_of(const CustomerId& customer, Resolution resolution) const override {
    return keeps_of(customer)[retention::kind_of(resolution)];
  }
  Duration keep_of(const CustomerId& customer, Signal signal) const override {
    return keeps_of(customer)[kind_of(signal)];
  }
  Duration keep_of_others(Resolution resolution) const override {
    return all_[retention::kind_of(resolution)];
  }
  Duration keep_of_others(Signal signal) const override { return all_[kind_of(signal)]; }
  /// Of roll-ups, too, that are not made: nothing expires by it here.
  Duration index_keep_of(const CustomerId& customer) const override {
    return longest(keeps_of(customer));
  }
  Duration index_keep_of_others() const override { return longest(all_); }
  std::vector<CustomerId> own() const override;

 private:
  static retention::DataKind kind_of(Signal signal) {
    return signal == Signal::kTraces ? retention::DataKind::kTraces : retention::DataKind::kLogs;
  }
  const retention::Keeps& keeps_of(const CustomerId& customer) const;
  static Duration longest(const retention::Keeps& keeps);
  CopyKeeps(const retention::Keeps& all, retention::CustomerKeeps own,
            const rolling::MadeResolutions& made)
      : all_(all), own_(std::move(own)), made_(made) {}

  retention::Keeps all_;
  retention::CustomerKeeps own_;  // of those who are kept otherwise
  rolling::MadeResolutions made_;
};

}  // namespace vigia::storage::keep
