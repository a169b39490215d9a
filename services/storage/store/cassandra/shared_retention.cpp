#include "services/storage/store/cassandra/shared_retention.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

#include "libs/service/log.hpp"
#include "services/storage/store/cassandra/instance_lease.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::RowReader;

constexpr Duration kLookEach = std::chrono::minutes(1);
constexpr Duration kLookDeadline = std::chrono::seconds(2);  // signs of life wait for it
// Of customers, at each look: that takes the nodes some tenths of a second.
constexpr std::size_t kCustomersAtOnce = 500;
// Rows end after two days.
constexpr Duration kNoteAgainEach = std::chrono::hours(12);
constexpr std::string_view kChunks = "chunks ";
// The kind under which the digest stands; programs from before step 13 pass over it.
constexpr std::string_view kCustomers = "customers";
constexpr std::uint64_t kPositive = 0x7fff'ffff'ffff'ffff;

// In the order of the columns.
std::vector<std::string> column_kinds() {
  std::vector<std::string> kinds;
  for (std::size_t i = 0; i < kResolutions; ++i) {
    kinds.push_back(kind_of(static_cast<Resolution>(i)));
  }
  kinds.emplace_back(to_string(Signal::kTraces));
  kinds.emplace_back(to_string(Signal::kLogs));
  return kinds;
}

std::string text_of(Duration keep) {
  return keep == Duration() ? std::string("for ever") : format_duration(keep);
}

std::int64_t seconds(Duration keep) {
  return std::chrono::duration_cast<std::chrono::seconds>(keep).count();
}

/// How much longer the other one keeps; nothing: for ever.
std::optional<Duration> longer_by(Duration own, Duration theirs) {
  if (own == Duration()) return Duration();
  if (theirs == Duration()) return std::nullopt;
  return std::max(theirs - own, Duration());
}

/// Of a customer: his own, or that of all.
const KeptByKind& kept_of(const std::map<std::string, KeptByKind, std::less<>>& own,
                          const KeptByKind& all, std::string_view customer) {
  const auto found = own.find(customer);
  return found == own.end() ? all : found->second;
}

}  // namespace

SharedRetention::SharedRetention(vigia::cassandra::Session& session, const Clock& clock,
                                 std::uint64_t number, const KeepTimes& own)
    : session_(session),
      clock_(clock),
      number_(number / InstanceLease::kNumbers * InstanceLease::kNumbers),
      own_(own) {}

Result<void> SharedRetention::prepare(Preparation& preparation) {
  write_ = preparation.prepare(
      "INSERT INTO {}.instance_retention (instance, kind, keep_s) VALUES (?, ?, ?)");
  read_ = preparation.prepare("SELECT instance, kind, keep_s FROM {}.instance_retention");
  write_customer_ = preparation.prepare(
      "INSERT INTO {}.instance_customers (instance, digest, customer_id, raw_s, rollup_5m_s, "
      "rollup_1h_s, rollup_1d_s, traces_s, logs_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  read_customers_ = preparation.prepare(
      "SELECT customer_id, raw_s, rollup_5m_s, rollup_1h_s, rollup_1d_s, traces_s, logs_s FROM "
      "{}.instance_customers WHERE instance = ? AND digest = ?");
  return preparation.outcome();
}

void SharedRetention::look() {
  {
    const std::lock_guard lock(mutex_);
    if (clock_.steady() < next_look_) return;
    next_look_ = clock_.steady() + kLookEach;
  }
  // What fails is done the next time: until it was done once, nothing is removed.
  const auto noted = note();
  if (!noted) return;
  if (!*noted) {
    const std::lock_guard lock(mutex_);
    next_look_ = clock_.steady();
  }
  (void)read();
}

SharedRetention::CustomersKept SharedRetention::own_customers() const {
  CustomersKept kept;
  for (const CustomerId& customer : own_.own()) {
    KeptByKind& own = kept[customer.text()] = own_.of_all(customer);
    for (auto& [kind, keep] : own) keep = std::chrono::seconds(seconds(keep));
  }
  return kept;
}

/// 0 where there are none, and of nothing else.
std::int64_t SharedRetention::digest_of(const CustomersKept& kept) {
  if (kept.empty()) return 0;
  std::string text;
  for (const auto& [customer, own] : kept) {
    text += customer;
    for (const auto& [kind, keep] : own) text += fmt::format(" {}", seconds(keep));
    text += '\n';
  }
  return static_cast<std::int64_t>(
      std::max<std::uint64_t>(XXH3_64bits(text.data(), text.size()) & kPositive, 1));
}

/// False: others do not see yet what has changed of customers. Their rows come first, and count
/// only when all of them are there.
Result<bool> SharedRetention::note() {
  CustomersKept kept = own_customers();
  const std::int64_t digest = digest_of(kept);
  if (digest != digest_ || clock_.steady() >= note_again_) {
    if (std::exchange(is_noting_, true)) tell_longer(kept);
    noting_ = std::move(kept);
    digest_ = digest;
    noted_ = 0;
    note_again_ = clock_.steady() + kNoteAgainEach;
  }
  if (noted_ < noting_.size()) {
    if (auto noted = note_customers(); !noted) return forward(noted);
  }
  const bool is_whole = noted_ >= noting_.size();
  std::map<std::string, std::int64_t, std::less<>> values;
  for (const auto& [kind, keep] : own_.of_others()) values[kind] = seconds(keep);
  if (is_whole) values[std::string(kCustomers)] = digest_;
  for (const auto& [kind, value] : values) {
    BoundCells cells;
    cells.add_bigint(static_cast<std::int64_t>(number_)).add_text(kind).add_bigint(value);
    auto noted = session_.fetch({*write_, cells, "", kLookDeadline});
    if (!noted) return forward(noted);
  }
  return is_whole;
}

/// Rows that lie in the table of a shorter class end with it, and nobody can make them stay.
void SharedRetention::tell_longer(const CustomersKept& kept) const {
  const KeptByKind all = own_.of_others();
  std::size_t customers = 0;
  std::optional<Difference> first;
  for (const auto* const some : {&kept, &noting_}) {
    for (const auto& [customer, own] : *some) {
      if (some == &noting_ && kept.contains(customer)) continue;
      const KeptByKind& before = kept_of(noting_, all, customer);
      const auto longer = std::find_if(before.begin(), before.end(), [&](const auto& one) {
        const Duration now = keep_of_kind(kept_of(kept, all, customer), one.first);
        return now != one.second && is_as_long(now, one.second);
      });
      if (longer == before.end()) continue;
      ++customers;
      if (first) continue;
      const Duration now = keep_of_kind(kept_of(kept, all, customer), longer->first);
      first = Difference{number_, customer, longer->first, longer->second, now};
    }
  }
  if (!first) return;
  service::log_warn(
      "customers are kept longer from now on: what was written before ends as it would have, with "
      "the table or the time that it was written with",
      {{"customers", std::to_string(customers)},
       {"first", first->customer},
       {"kind", first->kind},
       {"before", text_of(first->here)},
       {"now", text_of(first->there)}});
}

Result<void> SharedRetention::note_customers() {
  static const std::vector<std::string> kKinds = column_kinds();
  auto next = noting_.begin();
  std::advance(next, static_cast<std::ptrdiff_t>(noted_));
  Requests requests(session_, "");
  std::size_t count = 0;
  for (; next != noting_.end() && count < kCustomersAtOnce; ++next, ++count) {
    BoundCells cells;
    cells.add_bigint(static_cast<std::int64_t>(number_)).add_bigint(digest_);
    cells.add_text(next->first);
    for (const std::string& kind : kKinds) cells.add_bigint(seconds(next->second[kind]));
    requests.add(*write_customer_, cells);
  }
  if (auto written = requests.wait_for_all(); !written) return written;
  noted_ += count;
  return {};
}

Result<void> SharedRetention::read() {
  std::map<std::uint64_t, Other> others;
  auto read = session_.for_each_row({*read_, {}, "", kLookDeadline}, [&](RowReader& row) {
    const auto instance = static_cast<std::uint64_t>(row.read_bigint());
    const std::string kind(row.read_text());
    const std::int64_t value = row.read_bigint();
    const bool is_own = instance / InstanceLease::kNumbers == number_ / InstanceLease::kNumbers;
    if (!row.ok() || is_own) return true;
    Other& other = others[instance];
    if (kind == kCustomers) {
      other.digest = value;
    } else {
      other.all[kind] = std::chrono::seconds(value);
    }
    return true;
  });
  if (!read) return read;
  for (auto& [instance, other] : others) {
    if (auto found = read_customers(instance, other); !found) return found;
  }
  const auto first = difference(others);
  {
    const std::lock_guard lock(mutex_);
    is_known_ = true;
    differs_ = first.has_value();
    others_ = std::move(others);
  }
  if (first) tell(*first);
  return {};
}

/// Mostly all have the same ones, and those that differ stay as they are.
Result<void> SharedRetention::read_customers(std::uint64_t instance, Other& other) const {
  static const std::vector<std::string> kKinds = column_kinds();
  if (other.digest == 0) return {};
  if (other.digest == digest_) {
    other.own = noting_;
    return {};
  }
  {
    const std::lock_guard lock(mutex_);
    const auto known = others_.find(instance);
    if (known != others_.end() && known->second.digest == other.digest) {
      other.own = known->second.own;
      return {};
    }
  }
  BoundCells cells;
  cells.add_bigint(static_cast<std::int64_t>(instance)).add_bigint(other.digest);
  auto read =
      session_.for_each_row({*read_customers_, cells, "", kLookDeadline}, [&](RowReader& row) {
        KeptByKind& own = other.own[std::string(row.read_text())];
        for (const std::string& kind : kKinds) own[kind] = std::chrono::seconds(row.read_bigint());
        return true;
      });
  if (!read) return read;
  if (digest_of(other.own) == other.digest) return {};
  return fail(ErrorCode::kUnavailable, "what another instance keeps of its customers is not whole");
}

std::optional<SharedRetention::Difference> SharedRetention::difference(
    const std::map<std::uint64_t, Other>& others) const {
  const KeptByKind all = own_.of_others();
  for (const auto& [instance, other] : others) {
    const auto compare = [&, id = instance](const std::string& customer, const KeptByKind& here,
                                            const KeptByKind& there) -> std::optional<Difference> {
      for (const auto& [kind, keep] : there) {
        const auto own = here.find(kind);
        if (own == here.end() || seconds(own->second) == seconds(keep)) continue;
        return Difference{id, customer, kind, own->second, keep};
      }
      return std::nullopt;
    };
    if (auto found = compare("", all, other.all)) return found;
    if (other.digest == digest_) continue;
    for (const auto* const some : {&other.own, &noting_}) {
      for (const auto& [customer, kept] : *some) {
        auto found = compare(customer, kept_of(noting_, all, customer),
                             kept_of(other.own, other.all, customer));
        if (found) return found;
      }
    }
  }
  return std::nullopt;
}

void SharedRetention::tell(const Difference& one) {
  service::log_warn(
      "instances of this keyspace have another `retention`, or other classes of customers, each: "
      "nothing is removed that another one keeps, but each one's chunks end by its own; give all "
      "of them the same",
      {{"customer", one.customer.empty() ? "all" : one.customer},
       {"kind", one.kind},
       {"here", text_of(one.here)},
       {"there", text_of(one.there)},
       {"instance", std::to_string(one.instance)}});
}

/// Of one other instance.
TimestampMs SharedRetention::held_by(const KeptByKind& here, const KeptByKind& there,
                                     std::string_view kind, TimestampMs before_ms) {
  const std::string of_kind = kind == kExemplarKind ? kind_of(Resolution::kRaw) : std::string(kind);
  Duration longest{};
  for (const auto& [of, theirs] : there) {
    if (of != of_kind && (kind != kIndexKind || !of.starts_with(kChunks))) continue;
    const auto own = here.find(of);
    if (own == here.end()) continue;
    const auto longer = longer_by(own->second, theirs);
    if (!longer) return 0;
    longest = std::max(longest, *longer);
  }
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(longest).count();
  return std::max<TimestampMs>(before_ms - ms, 0);
}

TimestampMs SharedRetention::held_back(const CustomerId& customer, std::string_view kind,
                                       TimestampMs before_ms) const {
  const KeptByKind own = own_.of_all(customer);
  const std::lock_guard lock(mutex_);
  if (!is_known_) return 0;
  TimestampMs held_ms = before_ms;
  for (const auto& [instance, other] : others_) {
    const KeptByKind& there = kept_of(other.own, other.all, customer.text());
    held_ms = std::min(held_ms, held_by(own, there, kind, before_ms));
  }
  return held_ms;
}

TimestampMs SharedRetention::held_back(std::string_view kind, TimestampMs before_ms) const {
  const KeptByKind own = own_.of_others();
  const std::lock_guard lock(mutex_);
  if (!is_known_) return 0;
  TimestampMs held_ms = before_ms;
  for (const auto& [instance, other] : others_) {
    held_ms = std::min(held_ms, held_by(own, other.all, kind, before_ms));
  }
  return held_ms;
}

void SharedRetention::add_customers(std::set<std::string>& customers) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [instance, other] : others_) {
    for (const auto& [customer, kept] : other.own) customers.insert(customer);
  }
}

bool SharedRetention::differs() const {
  const std::lock_guard lock(mutex_);
  return differs_;
}

}  // namespace vigia::storage::store::cassandra
