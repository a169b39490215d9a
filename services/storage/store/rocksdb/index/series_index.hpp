// Which series there are: labels → number, and the search by matchers. Everything lies in the
// ordered store; memory holds only what writers ask again and again. Format:
// docs/formats/cold-store.md.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "libs/model/ids.hpp"
#include "libs/model/labels.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/chunks.hpp"
#include "services/storage/store/day_range.hpp"
#include "services/storage/store/flat_id_map.hpp"
#include "services/storage/store/label_matcher.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::store::rocksdb::kv {
class MalformedRows;
}

namespace vigia::storage::store::rocksdb::index {

struct Customer {
  CustomerId id;
  customers::CustomerNumber number;
};

/// The highest that a customer was ever given, as the row says that keeps it; 0: none that is well
/// formed, as of earlier programs.
Result<customers::CustomerNumber> last_customer_number(kv::OrderedStore& store);

/// A series that a writer did not find in memory.
struct UnresolvedSeries {
  customers::CustomerNumber customer;
  Labels labels;
  LabelsHash wire_hash;     ///< of the bytes in which the labels came: found by them next time
  store::SeriesId id{};     ///< set by resolve
  bool is_new = false;      ///< set by resolve: it was not there before
  DayRange days = kNoDays;  ///< of its samples, for note_days
};

/// The series of one search, one after the other: by name, then number. Thread contract: one
/// thread.
class SeriesWalk {
 public:
  /// The days are whole; between a series' first and last day not every one needs to have samples.
  struct Wanted {
    customers::CustomerNumber customer;
    const LabelMatchers& matchers;
    DayRange days;
  };
  /// Both, and the matchers, must outlive it.
  SeriesWalk(kv::OrderedStore& store, const Wanted& wanted, const WorkLimit& limit);
  ~SeriesWalk();
  /// Nothing at the end. The limit's error once it is over, between two rows, whether these are
  /// wanted or not.
  Result<std::optional<FoundSeries>> next();

 private:
  Wanted wanted_;
  const WorkLimit& limit_;
  std::unique_ptr<kv::MalformedRows> malformed_;
  std::unique_ptr<kv::Scan> scan_;
};

/// Thread contract: any thread. Errors as the ordered store's.
class SeriesIndex {
  struct Key {};  // only open makes one

 public:
  static constexpr std::size_t kMemoryMax = 64U << 20U;

  SeriesIndex(Key /*key*/, kv::OrderedStore& store, std::size_t memory_max);
  /// `store` must outlive it. `memory_max`: of what is kept of series and label values so that
  /// writers need not ask the store. kCorrupt where the store was written by another version. Where
  /// the store has lost rows, what follows from other rows is written anew first.
  static Result<std::unique_ptr<SeriesIndex>> open(kv::OrderedStore& store,
                                                   std::size_t memory_max = kMemoryMax);

  /// The customer's number, given out where it has none yet (durable at once).
  Result<customers::CustomerNumber> number_of(const CustomerId& customer);
  std::optional<customers::CustomerNumber> find_customer(const CustomerId& customer) const;
  /// Nothing for a number that is nobody's, as far as the rows say.
  std::optional<CustomerId> id_of(customers::CustomerNumber number) const;
  std::vector<Customer> customers() const;

  /// With which the customer's labels are hashed (hash_labels).
  std::uint64_t seed_of(customers::CustomerNumber customer) const;
  /// Hash of the labels in whatever bytes a writer has them.
  LabelsHash hash(customers::CustomerNumber customer, std::string_view label_bytes) const;
  /// The series of a hash that `resolve` has seen lately, and the days of its samples that need no
  /// note_days before they are logged; memory only. What is not asked for is forgotten first, of
  /// the customer who has most.
  std::optional<KnownSeries> find(const LabelsHash& wire_hash) const;
  /// Gives each its number, new ones where the index has none, durable when the call returns: what
  /// is logged by number must never lose its labels. Metric names and label names hold no NUL.
  Result<void> resolve(std::vector<UnresolvedSeries>& series);

  /// Notes the days of series that resolve has been through, durable when the call returns: samples
  /// are found by them.
  Result<void> note_days(const std::vector<UnresolvedSeries>& series);
  /// Forgets series and label values whose last day is over at their customer's cut; returns how
  /// many series. What an older version left without days counts as of `now_ms`. Of a customer once
  /// a day: more often does nothing. One call at a time.
  Result<std::size_t> expire(const ExpiryCuts& cuts, TimestampMs now_ms);

  /// Writes anew whatever the index has lost and something else in the store still tells: series'
  /// rows from their copies, all others from these, and missing copies. A walk over all series of
  /// all customers, some at a time: for a thread that nobody waits for. A customer's error holds up
  /// no other; the first is given. Asks `goes_on` between pieces: false ends it with kUnavailable.
  using GoesOn = std::function<bool()>;
  Result<void> make_whole(const GoesOn& goes_on = {});
  /// The store has lost rows since make_whole was done: what is found may be less than there is.
  bool lacks_rows() const { return store_.repairs() != repairs_healed_; }
  /// The same of what this customer finds, "" being all: another's error says nothing of it. One
  /// who has no number may have lost it.
  bool lacks_rows_of(std::string_view customer) const;
  /// Series' rows that were lost and are written anew from their copies, since the store opened.
  std::uint64_t rows_restored() const { return rows_restored_; }

  /// The labels of a series by their second copy; nothing where there is none.
  Result<std::optional<Labels>> labels_of(customers::CustomerNumber customer,
                                          store::SeriesId series) const;
  /// False: no more are wanted.
  using TextVisit = std::function<bool(std::string_view)>;
  /// In order; what no series of the query's days has is left out. Both end with the limit's error
  /// once it is over, between two rows, whether these are wanted or not.
  Result<void> label_names(customers::CustomerNumber customer, const TextQuery& query,
                           const TextVisit& visit, const WorkLimit& limit = {}) const;
  Result<void> label_values(customers::CustomerNumber customer, std::string_view name,
                            const TextQuery& query, const TextVisit& visit,
                            const WorkLimit& limit = {}) const;
  /// Without the days of the customer's that `expire` has been through.
  DayRange without_expired(customers::CustomerNumber customer, const DayRange& days) const;
  /// These numbers are taken, whatever the store's rows say: the write-ahead log names them.
  void note_used(store::SeriesId series, customers::CustomerNumber customer);
  std::uint64_t series_count() const { return next_id_.load() - 1; }
  std::uint64_t memory_bytes() const;
  /// While memory is short, half of memory_max.
  void set_short(bool is_short);

 private:
  using NotedDays = std::unordered_map<std::uint64_t, DayRange>;  // by series

  struct NewRows {
    std::vector<kv::KeyValue> writes;
    FlatIdMap values;  // label values among them
    struct Value {
      customers::CustomerNumber customer;
      LabelsHash hash;
      DayRange days;  // as its row has them
    };
    std::vector<Value> noted_values;  // the same
  };
  Result<void> load();
  Result<void> load_identity();
  Result<void> renew_format(const std::string& format);
  Result<void> create(std::string& format, std::string& seed);
  Result<std::optional<std::string>> read_identity(std::string_view key) const;
  struct LoadedCustomers {
    std::map<CustomerId, customers::CustomerNumber> of;
    std::vector<std::optional<CustomerId>> malformed;  // nothing: not even whose it is
    bool makes_up_for(const LoadedCustomers& other) const;
  };
  static std::vector<kv::KeyValue> customer_rows(const CustomerId& customer,
                                                 customers::CustomerNumber number);
  bool forget_doubtful_customers(kv::MalformedRows& malformed);
  Result<void> load_customers();
  Result<LoadedCustomers> read_customers(kv::Family family, kv::MalformedRows& malformed) const;
  Result<void> put_identity();
  Result<void> heal();
  // What a customer's rows need, for one who writes meanwhile: which repairs it is whole after.
  struct Healing {
    std::mutex mutex;
    std::uint64_t repairs = 0;  // under mutex
  };
  Result<void> heal_customers(const std::vector<UnresolvedSeries>& series);
  Result<void> heal_customer_rows(customers::CustomerNumber customer, const GoesOn& goes_on = {});
  Result<void> for_all_customers(
      const GoesOn& goes_on,
      const std::function<Result<void>(customers::CustomerNumber)>& work) const;
  Result<std::shared_ptr<Healing>> begin_healing(customers::CustomerNumber customer);
  Result<void> heal_rows(std::string_view from, std::string_view to, const GoesOn& goes_on = {});
  Result<std::size_t> restore_series(std::string_view from, std::string_view to,
                                     const GoesOn& goes_on = {});
  Result<std::size_t> restore_some(const std::vector<UnresolvedSeries>& copies);
  struct Copy {  // of a series' labels, and the key of the row that it is a copy of
    std::string key;
    std::string row_key;
    std::string labels;
  };
  Result<void> copy_series(customers::CustomerNumber customer, const GoesOn& goes_on);
  Result<void> copy_some(std::vector<Copy>& copies);
  static Result<void> check_goes_on(const GoesOn& goes_on);
  class RestoredValues;
  Result<std::size_t> heal_some(const std::vector<UnresolvedSeries>& series,
                                RestoredValues& restored);
  Result<void> heal_values(const UnresolvedSeries& series, const DayRange& days,
                           RestoredValues& restored) const;
  Result<void> heal_hash(const UnresolvedSeries& series, NewRows& rows, std::size_t& healed);
  void remember_values(const NewRows& rows);
  Result<void> find_customer_numbers(kv::Family family);
  Result<void> find_numbers_of_metadata();
  void heal_customer(customers::CustomerNumber number, const Labels& labels);
  Result<bool> has_series_row(const UnresolvedSeries& series) const;
  Result<std::optional<store::SeriesId>> find_stored(const LabelsHash& hash) const;
  Result<void> add_rows(const UnresolvedSeries& series, const std::string& hash_key, NewRows& rows);
  Result<void> add_value_rows(const UnresolvedSeries& series, NewRows& rows);
  static std::string series_row(const UnresolvedSeries& series);
  void remember(const UnresolvedSeries& series, const DayRange& days);
  std::size_t ids_max() const;
  std::size_t values_max() const;
  void bound_values();
  void forget_days();
  Result<void> note_days_of_some(const UnresolvedSeries* first, const UnresolvedSeries* end);
  Result<void> note_days_of(const UnresolvedSeries& series, NotedDays& noted,
                            std::vector<kv::KeyValue>& writes);
  Result<void> note_values(const UnresolvedSeries& series, std::vector<kv::KeyValue>& writes);
  std::uint32_t expired_until(customers::CustomerNumber customer) const;
  Result<std::size_t> expire_of(customers::CustomerNumber customer, std::uint32_t cut,
                                std::uint32_t today);
  Result<std::size_t> expire_rows(const std::string& prefix, std::uint32_t cut,
                                  std::uint32_t today);
  Result<std::size_t> expire_some(const std::vector<std::string>& keys, std::uint32_t cut,
                                  std::uint32_t today);
  Result<void> forget_series(std::string_view key, std::string_view row,
                             std::vector<kv::KeyValue>& writes);

  struct Shard {
    mutable std::mutex mutex;
    mutable FlatIdMap ids;  // notes what is asked for
  };
  static constexpr std::size_t kShards = 16;
  static constexpr store::SeriesId kKnownValue{1};  // of a label value, which has no number

  kv::OrderedStore& store_;
  const std::size_t memory_max_;
  std::atomic<bool> is_short_{false};
  std::atomic<std::size_t> value_bytes_{0};  // of both maps of label values
  std::uint64_t seed_ = 0;
  std::atomic<std::uint64_t> next_id_{1};
  std::mutex create_mutex_;         // one creator at a time, so that no series gets two numbers
  FlatIdMap known_values_;          // label values that have a row; under create_mutex_
  std::uint64_t repairs_seen_ = 0;  // of the store; under create_mutex_
  std::uint64_t repairs_at_open_ = 0;
  std::atomic<std::uint64_t> repairs_healed_{0};
  std::atomic<std::uint64_t> rows_restored_{0};
  std::map<customers::CustomerNumber, std::shared_ptr<Healing>> healings_;  // under create_mutex_
  mutable std::mutex whole_mutex_;  // never held while the store is asked
  std::map<customers::CustomerNumber, std::uint64_t> whole_after_;  // repairs; under whole_mutex_
  bool has_lost_rows_ = false;  // once, some time; under create_mutex_
  FlatIdMap value_days_;        // label values: days noted; under create_mutex_
  mutable std::mutex expired_mutex_;
  /// The day up to which all of a customer's was looked through; under expired_mutex_.
  std::map<customers::CustomerNumber, std::uint32_t> expired_until_;
  mutable std::shared_mutex customers_mutex_;
  std::map<CustomerId, customers::CustomerNumber> customers_;
  std::uint32_t last_number_ = 0;  // the highest that was ever given out; under customers_mutex_
  std::array<Shard, kShards> shards_;
};

}  // namespace vigia::storage::store::rocksdb::index
