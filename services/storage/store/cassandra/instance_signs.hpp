// Whether instances that share the keyspace live, for who must be alone with it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "libs/base/duration.hpp"
#include "services/storage/store/cassandra/requests.hpp"

namespace vigia::storage::store::cassandra {

/// Goes by the counts that live instances raise six times in a lease (instance_lease.hpp), and
/// writes nothing. Thread contract: one thread.
class InstanceSigns {
 public:
  /// The session must outlive it.
  explicit InstanceSigns(vigia::cassandra::Session& session) : session_(session) {}
  Result<void> prepare(Preparation& preparation);

  /// Waits for `lease` where any instance may live. kUnavailable as soon as one gives a sign.
  /// `told`: how much longer it waits.
  Result<void> expect_none(Duration lease, const std::function<void(Duration left)>& told);
  /// The numbers of those that gave a sign since expect_none, or came. REQUIRES: that succeeded.
  Result<std::vector<std::int64_t>> since();

 private:
  struct Row {
    std::int64_t beat = 0;
    std::int64_t taken_by = 0;  ///< its own number: nothing of it is left
    bool operator==(const Row&) const = default;
  };
  using ByNumber = std::map<std::int64_t, Row>;
  Result<ByNumber> read();
  std::vector<std::int64_t> signs_in(const ByNumber& now) const;

  vigia::cassandra::Session& session_;
  Statement read_;
  ByNumber seen_;
};

}  // namespace vigia::storage::store::cassandra
