// Of which customers' days nothing more can have gone past their retention since they were looked
// through.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "libs/model/ids.hpp"

namespace vigia::storage::store::cassandra {

/// Before which day (since 1970) what there is goes, of a kind of data. A value.
struct CutDays {
  std::uint32_t all = 0;                                    ///< of whoever `own` does not name
  std::map<std::string, std::uint32_t, std::less<>> own{};  ///< by customer's id
  std::uint32_t of(std::string_view customer) const {
    const auto found = own.find(customer);
    return found == own.end() ? all : found->second;
  }
  bool operator==(const CutDays&) const = default;
};

/// Of this process: what another one has put, that one looks through. Thread contract: any thread;
/// one look at a time.
class ExpiryLooks {
 public:
  /// Something of that day of the customer's is there now, or may be.
  void note(const CustomerId& customer, std::uint32_t day);

  /// Begins a look. False where nothing can be over that was not when the last one ended: then
  /// there is none.
  bool begin(const CutDays& cuts);
  /// Within a look: whether anything of the customer's may be over.
  bool is_due(std::string_view customer) const;
  /// All that is due was looked through, and has gone. A look that does not end so is begun anew.
  void end();

 private:
  std::uint32_t done_of(std::string_view customer) const {
    return is_begun_ ? done_.of(customer) : 0;
  }

  mutable std::mutex mutex_;  // over all that follows
  bool is_begun_ = false;     // false: of nobody anything was looked through
  CutDays done_;              // of the last look that ended
  CutDays cuts_;              // of the one that is under way, or was the last
  /// The first day of what was noted and may be over by cuts_ or done_: since the look began, and
  /// before.
  std::map<std::string, std::uint32_t, std::less<>> noted_, looked_;
};

}  // namespace vigia::storage::store::cassandra
