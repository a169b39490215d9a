#include "services/storage/store/cassandra/shared_retention.hpp"

#include <algorithm>
#include <optional>

#include "libs/service/log.hpp"
#include "services/storage/store/cassandra/instance_lease.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::RowReader;

constexpr Duration kLookEach = std::chrono::minutes(1);
constexpr Duration kLookDeadline = std::chrono::seconds(2);  // signs of life wait for it
constexpr std::string_view kIndex = "index";
constexpr std::string_view kChunks = "chunks ";

std::string text_of(Duration keep) {
  return keep == Duration() ? std::string("for ever") : format_duration(keep);
}

/// How much longer the other one keeps; nothing: for ever.
std::optional<Duration> longer_by(Duration own, Duration theirs) {
  if (own == Duration()) return Duration();
  if (theirs == Duration()) return std::nullopt;
  return std::max(theirs - own, Duration());
}

}  // namespace

SharedRetention::SharedRetention(vigia::cassandra::Session& session, const Clock& clock,
                                 std::uint64_t number, KeptByKind own)
    : session_(session),
      clock_(clock),
      number_(number / InstanceLease::kNumbers * InstanceLease::kNumbers),
      own_(std::move(own)) {}

Result<void> SharedRetention::prepare(Preparation& preparation) {
  write_ = preparation.prepare(
      "INSERT INTO {}.instance_retention (instance, kind, keep_s) VALUES (?, ?, ?)");
  read_ = preparation.prepare("SELECT instance, kind, keep_s FROM {}.instance_retention");
  return preparation.outcome();
}

void SharedRetention::look() {
  {
    const std::lock_guard lock(mutex_);
    if (clock_.steady() < next_look_) return;
    next_look_ = clock_.steady() + kLookEach;
  }
  // What fails is done the next time: until it was done once, nothing is removed.
  if (note()) (void)read();
}

Result<void> SharedRetention::note() {
  for (const auto& [kind, keep] : own_) {
    BoundCells cells;
    cells.add_bigint(static_cast<std::int64_t>(number_)).add_text(kind);
    cells.add_bigint(std::chrono::duration_cast<std::chrono::seconds>(keep).count());
    auto noted = session_.fetch({*write_, cells, "", kLookDeadline});
    if (!noted) return forward(noted);
  }
  return {};
}

Result<void> SharedRetention::read() {
  KeptByKind longest;
  std::optional<Difference> first;
  auto read = session_.for_each_row({*read_, {}, "", kLookDeadline}, [&](RowReader& row) {
    const auto instance = static_cast<std::uint64_t>(row.read_bigint());
    const std::string kind(row.read_text());
    const Duration keep = std::chrono::seconds(row.read_bigint());
    const auto own = own_.find(kind);
    const bool is_own = instance / InstanceLease::kNumbers == number_ / InstanceLease::kNumbers;
    if (!row.ok() || is_own || own == own_.end()) return true;
    const auto [at, is_new] = longest.try_emplace(kind, keep);
    if (!is_new && !longer_by(at->second, keep)) at->second = Duration();
    if (!is_new && at->second != Duration()) at->second = std::max(at->second, keep);
    if (!first && keep != own->second) first = Difference{instance, kind, keep};
    return true;
  });
  if (!read) return read;
  {
    const std::lock_guard lock(mutex_);
    is_known_ = true;
    differs_ = first.has_value();
    longest_ = std::move(longest);
  }
  if (first) tell(*first);
  return {};
}

void SharedRetention::tell(const Difference& one) const {
  service::log_warn(
      "instances of this keyspace have another `retention` each: nothing is removed that another "
      "one keeps, but each one's chunks end by its own; give all of them the same",
      {{"kind", one.kind},
       {"here", text_of(own_.find(one.kind)->second)},
       {"there", text_of(one.theirs)},
       {"instance", std::to_string(one.instance)}});
}

TimestampMs SharedRetention::held_back(std::string_view kind, TimestampMs before_ms) const {
  const std::lock_guard lock(mutex_);
  if (!is_known_) return 0;
  Duration longest{};
  for (const auto& [of, theirs] : longest_) {
    if (of != kind && (kind != kIndex || !of.starts_with(kChunks))) continue;
    const auto own = own_.find(of);
    const auto longer = longer_by(own->second, theirs);
    if (!longer) return 0;
    longest = std::max(longest, *longer);
  }
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(longest).count();
  return std::max<TimestampMs>(before_ms - ms, 0);
}

bool SharedRetention::differs() const {
  const std::lock_guard lock(mutex_);
  return differs_;
}

}  // namespace vigia::storage::store::cassandra
