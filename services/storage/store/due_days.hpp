// Which days of which series have raw samples of which no roll-ups were made yet: part of the
// contract of chunks, for stores that can tell.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/store/day_range.hpp"
#include "services/storage/store/series.hpp"

namespace vigia::storage::store {

/// The day (since 1970) whose windows hold a sample of that time. Windows are open on the left, so
/// the sample of midnight is the last of the day before; 0 for what lies before 1970.
constexpr std::uint32_t window_day_of(TimestampMs time_ms) { return day_of(time_ms - 1); }

struct DuePlace {
  SeriesId series;
  std::uint32_t day = 0;  ///< as window_day_of
  auto operator<=>(const DuePlace&) const = default;
};

/// How a day came to its mark. Numbers are on disk.
enum class DueKind : std::uint8_t {
  kFound = 1,  ///< by mark_stored, or by an earlier program: it may hold no sample
  kPut = 2,    ///< samples were put that lie in it
  kLost = 3,   ///< they went before roll-ups were made of them: there are none, unless saved yet
};

/// `stamp`: another each time that the day is marked.
struct DueDay {
  DuePlace place;
  std::uint64_t stamp = 0;
  DueKind kind = DueKind::kPut;
};

/// A put of raw rows marks, with the rows and as they or not at all, each day that they reach into.
/// So whatever a kill leaves: a day that is not marked has nothing that was put after its mark
/// went. Thread contract: any thread. Errors as the store's.
class DueDays {
 public:
  virtual ~DueDays() = default;
  /// Whether puts mark: they do, unless told otherwise. Before the first put, since what is put
  /// meanwhile is found by mark_stored alone.
  virtual void set_marking(bool is_marking) = 0;
  /// From `from` on, which is included, by series, then day: `max` at the most.
  virtual Result<std::vector<DueDay>> due(const CustomerId& customer, const DuePlace& from,
                                          std::size_t max) = 0;
  /// Those of some series and days: by series as they stand in the question, then by day.
  virtual Result<std::vector<DueDay>> due_of(const CustomerId& customer,
                                             std::span<const SeriesId> series,
                                             const DayRange& days);
  /// Whether this process is to make that customer's roll-ups now: of several that share a store
  /// one is told so at a time, until it lets go, or is gone for a minute. It spares work and
  /// nothing else: two that make the same do no harm.
  virtual Result<bool> claim(const CustomerId& /*customer*/) { return true; }
  virtual void let_go(const CustomerId& /*customer*/) {}
  /// Forgets the marks that are still as they were read; those that were set anew stay. What was
  /// put before is on disk no later than that.
  virtual Result<void> done(const CustomerId& customer, std::span<const DueDay> days) = 0;
  /// Puts kLost in the place of such marks, likewise.
  virtual Result<void> set_lost(const CustomerId& customer, std::span<const DueDay> days) = 0;
  /// Forgets all marks of days before that one, lost ones too: also of customers whose names are
  /// not known. How many. Looks at every mark there is.
  virtual Result<std::size_t> forget_before(std::uint32_t day) = 0;
  /// The first of the days that a put, or mark_stored, has marked since this was asked last;
  /// UINT32_MAX: none. 0 at first: what earlier processes marked is not known. What it tells of is
  /// there when it tells it.
  virtual std::uint32_t take_first_marked(const CustomerId& customer) = 0;
  /// Marks the days of raw rows that lie there unmarked, as those of earlier programs: some of
  /// them, from `place` on ("": from the first row). Where it ended, "" at the end. May mark more.
  /// Days that are marked stay as they are, but of lost ones that have rows again: kPut.
  virtual Result<std::string> mark_stored(const std::string& place) = 0;
  /// A text that whoever makes roll-ups keeps here; "" at first.
  virtual Result<std::string> note() = 0;
  /// On disk when it returns, with all that was put before.
  virtual Result<void> set_note(const std::string& note) = 0;
};

/// All due days of one series among `days`.
Result<std::vector<DueDay>> due_days_of(DueDays& due_days, const CustomerId& customer,
                                        SeriesId series, const DayRange& days);

}  // namespace vigia::storage::store
