// Before which days nothing is read any more: the same for all instances, so that what one has
// expired no other gives.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "libs/base/clock.hpp"
#include "services/storage/store/cassandra/shared_retention.hpp"

namespace vigia::storage::store::cassandra {

/// kInvalid: what an expiry by customer is answered. Rows end by their table (retention_class.hpp).
tl::unexpected<Error> not_by_customer();

/// Thread contract: any thread.
class KeptDays {
 public:
  /// Both must outlive it.
  KeptDays(vigia::cassandra::Session& session, const Clock& clock)
      : session_(session), clock_(clock) {}
  Result<void> prepare(Preparation& preparation);

  /// The first day of that kind of data that is read; 0: nothing has expired. Looked up once a
  /// minute at most, for two seconds at most; while the cluster does not answer, what was known
  /// before.
  std::uint32_t day(std::string_view kind);
  /// `shared` must outlive the last call of held_back; before the first one.
  void use_shared(const SharedRetention* shared) { shared_ = shared; }
  /// As SharedRetention; without one, `before_ms`.
  TimestampMs held_back(std::string_view kind, TimestampMs before_ms) const {
    return shared_ == nullptr ? before_ms : shared_->held_back(kind, before_ms);
  }
  /// Never goes back, whichever instance says less. Durable when it returns.
  Result<void> raise(std::string_view kind, std::uint32_t day);

 private:
  Result<void> load(Duration deadline);

  vigia::cassandra::Session& session_;
  const Clock& clock_;
  const SharedRetention* shared_ = nullptr;
  Statement read_;
  Statement write_;
  std::mutex mutex_;
  std::map<std::string, std::uint32_t, std::less<>> days_;
  TimePoint next_look_{};
};

}  // namespace vigia::storage::store::cassandra
