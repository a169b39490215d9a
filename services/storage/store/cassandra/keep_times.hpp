// For how long what is kept of whom: by that rows end, and go into a table.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/store/cassandra/retention_class.hpp"
#include "services/storage/store/customer_retention.hpp"

namespace vigia::storage::store::cassandra {

inline constexpr std::size_t kResolutions = 4;
constexpr std::size_t index_of(Resolution resolution) {
  return static_cast<std::size_t>(resolution);
}
/// By Resolution: in which class what is written is kept.
using ChunkClasses = std::array<RetentionClass, kResolutions>;

/// How long items are kept; 0: for ever.
struct EventRetention {
  Duration traces{};
  Duration logs{};
};

/// By kind of data, as KeptDays names it ("chunks raw", …, "traces", "logs"); 0: for ever.
using KeptByKind = std::map<std::string, Duration, std::less<>>;
/// "chunks raw"
std::string kind_of(Resolution resolution);
inline constexpr std::string_view kIndexKind = "index";
inline constexpr std::string_view kExemplarKind = "exemplars";

/// Thread contract: any thread once `use` was called.
class KeepTimes {
 public:
  /// Of all customers, until there is more to know. `clock` must outlive it.
  KeepTimes(const ChunkClasses& classes, const EventRetention& events, const Clock& clock)
      : classes_(classes), events_(events), clock_(clock) {}
  /// Must outlive the last call. Before the first write.
  void use(const CustomerRetention* retention) { retention_ = retention; }

  Duration of(const CustomerId& customer, Resolution resolution) const;
  Duration of(const CustomerId& customer, Signal signal) const;
  /// Also "index" and "exemplars".
  Duration of_kind(const CustomerId& customer, std::string_view kind) const;
  Duration of_others(std::string_view kind) const;
  /// All six kinds; of all who have none of their own.
  KeptByKind of_all(const CustomerId& customer) const;
  KeptByKind of_others() const;
  /// Whoever has another one; in order.
  std::vector<CustomerId> own() const;

  /// The table of what is written now: of a time that no class keeps, or whose end Cassandra could
  /// not say, the one that keeps for ever.
  RetentionClass class_of(const CustomerId& customer, Resolution resolution) const;
  /// Of rows that end by themselves, two days later than they are kept: reads are cut before. 0:
  /// for ever, also where Cassandra could not say the end.
  std::int32_t live_seconds(const CustomerId& customer, Signal signal) const;
  std::int32_t live_seconds_of_exemplars(const CustomerId& customer) const;

 private:
  std::int32_t live_seconds(Duration keep) const;

  const ChunkClasses classes_;
  const EventRetention events_;
  const Clock& clock_;
  const CustomerRetention* retention_ = nullptr;
};

/// Of one of `kept`: "index" as the longest of its chunks, "exemplars" as raw.
Duration keep_of_kind(const KeptByKind& kept, std::string_view kind);
/// Whether what is kept so long is there at least as long as the other; 0 is longest.
bool is_as_long(Duration keep, Duration other);

}  // namespace vigia::storage::store::cassandra
