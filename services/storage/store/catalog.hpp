// Which series there are: labels → id, and the search by matchers. The contract of every store.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/labels.hpp"
#include "services/storage/store/day_range.hpp"
#include "services/storage/store/expiry_cuts.hpp"
#include "services/storage/store/label_matcher.hpp"
#include "services/storage/store/series.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::store {

/// Of the bytes of a series' labels, in whatever order a writer has them. Seeds are secret: equal
/// hashes mean equal bytes and customers.
struct LabelsHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const LabelsHash&) const = default;
};
/// `seed` is the customer's (Catalog::seed_of).
LabelsHash hash_labels(std::uint64_t seed, std::string_view label_bytes);

/// The days are those that its row in the store is known to name; it may name more.
struct KnownSeries {
  SeriesId id;
  DayRange days = kNoDays;
};

/// A series that a writer did not find in memory.
struct NewSeries {
  Labels labels;
  LabelsHash wire_hash;     ///< of the bytes in which the labels came: found by them next time
  DayRange days = kNoDays;  ///< of its samples
  SeriesId id{};            ///< set by resolve
  bool is_new = false;      ///< set by resolve: it was not there before
};

struct FoundSeries {
  SeriesId id;
  Labels labels;
};

struct SeriesQuery {
  const LabelMatchers& matchers;  ///< all must match
  DayRange days;  ///< only series with samples on one of them; between a series' first and last day
                  ///< not every one needs to have samples
};

/// A search that is under way. Thread contract: one thread.
class SeriesCursor {
 public:
  virtual ~SeriesCursor() = default;
  /// Some hundred more; none at the end. By metric, then id; each once.
  virtual Result<std::vector<FoundSeries>> next() = 0;
};

/// Label names or values from one on: the next page begins behind the last of this one.
struct TextPage {
  std::vector<std::string> texts;  ///< in order
  bool is_last = false;
};
struct TextQuery {
  /// Only what a series with samples on one of them has; between the first and the last day of a
  /// label value not every one needs to have some.
  DayRange days = kAllDays;
  std::string after;  ///< "": from the beginning; else behind this text
};

/// Thread contract: any thread. Errors: kUnavailable where the store refuses for now, kCorrupt; of
/// searches the limit's error once it is over.
class Catalog {
 public:
  virtual ~Catalog() = default;
  /// With which the customer's labels are hashed for `find`. Makes the customer known.
  virtual Result<std::uint64_t> seed_of(const CustomerId& customer) = 0;
  /// The series of a hash that `resolve` has seen lately, and the days of its samples that need no
  /// further resolve before they are logged. Of memory alone: forgetting is allowed.
  virtual std::optional<KnownSeries> find(const LabelsHash& wire_hash) const = 0;
  /// Gives each its id, a new one where the catalog has none, and notes its days; durable when it
  /// returns: what is logged by id must never lose its labels, nor be missed by a search. Metric
  /// names and label names hold no NUL.
  virtual Result<void> resolve(const CustomerId& customer, std::vector<NewSeries>& series) = 0;
  /// The metrics of the ids, in their order; "" for a series that is not known.
  virtual Result<std::vector<std::string>> metrics_of(const CustomerId& customer,
                                                      const std::vector<SeriesId>& ids) const = 0;

  /// Who was ever made known.
  virtual std::vector<CustomerId> customers() const = 0;
  /// `query` and `limit` must outlive the cursor. A customer who is not known has no series.
  virtual std::unique_ptr<SeriesCursor> select(const CustomerId& customer, const SeriesQuery& query,
                                               const WorkLimit& limit) const = 0;
  virtual Result<TextPage> label_names(const CustomerId& customer, const TextQuery& query,
                                       const WorkLimit& limit) const = 0;
  virtual Result<TextPage> label_values(const CustomerId& customer, std::string_view name,
                                        const TextQuery& query, const WorkLimit& limit) const = 0;

  /// Forgets series and label values whose last day is over at their customer's cut, and of the
  /// others that they had samples on days before; returns how many series. What has no days counts
  /// as of `now_ms`. kInvalid for cuts that differ by customer, where the store cannot.
  virtual Result<std::size_t> expire(const ExpiryCuts& cuts, TimestampMs now_ms) = 0;
};

}  // namespace vigia::storage::store
