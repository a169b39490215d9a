#include "services/storage/store/cassandra/kept_from.hpp"

#include <algorithm>

#include "services/storage/store/cassandra/series_identity.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr Duration kLookEach = std::chrono::minutes(1);
constexpr Duration kLookDeadline = std::chrono::seconds(2);  // a reader waits for it
// Beyond, what is known is forgotten, and looked up again.
constexpr std::size_t kKnownMax = 20'000;
// Of all who have no row of their own: no customer's id.
constexpr std::string_view kOthers = "*";

std::int64_t seconds(Duration keep) {
  return std::chrono::duration_cast<std::chrono::seconds>(keep).count();
}

// Whether what was kept so long is over for whoever is kept as long as `keep_s`. 0: for ever.
bool counts(std::int64_t row_keep_s, std::int64_t keep_s) {
  return row_keep_s == 0 || (keep_s != 0 && row_keep_s >= keep_s);
}

}  // namespace

using vigia::cassandra::BoundCells;
using vigia::cassandra::RowReader;

Result<void> KeptDays::prepare(Preparation& preparation) {
  list_owners_ = preparation.prepare("SELECT DISTINCT customer_id FROM {}.kept_days");
  read_ = preparation.prepare("SELECT kind, keep_s, day FROM {}.kept_days WHERE customer_id = ?");
  write_ = preparation.prepare(
      "INSERT INTO {}.kept_days (customer_id, kind, keep_s, day) VALUES (?, ?, ?, ?) USING "
      "TIMESTAMP ?");
  if (auto prepared = preparation.outcome(); !prepared) return prepared;
  auto listed =
      session_.for_each_row({*list_owners_, {}, "", kRequestDeadline}, [&](RowReader& row) {
        std::string owner(row.read_text());
        if (row.ok() && owner != kOthers) owners_.insert(std::move(owner));
        return true;
      });
  if (!listed) return tl::unexpected<Error>(store_error(listed.error()));
  return load(std::string(kOthers), kRequestDeadline);
}

void KeptDays::note(Known& known, std::string_view kind, std::int64_t keep_s, std::uint32_t day) {
  std::uint32_t& noted = known.days[std::string(kind)].try_emplace(keep_s, day).first->second;
  noted = std::max(noted, day);
}

Result<void> KeptDays::load(const std::string& owner, Duration deadline) {
  Known found;
  bool is_sound = true;
  BoundCells cells;
  cells.add_text(owner);
  auto read = session_.for_each_row({*read_, cells, owner, deadline}, [&](RowReader& row) {
    const std::string kind(row.read_text());
    const std::int64_t keep_s = row.read_bigint();
    const std::int32_t day = row.read_int();
    is_sound = is_sound && row.ok();
    if (row.ok()) note(found, kind, keep_s, static_cast<std::uint32_t>(std::max(day, 0)));
    return true;
  });
  if (!read) return tl::unexpected<Error>(store_error(read.error()));
  if (!is_sound) return malformed_row("kept_days");
  const std::lock_guard lock(mutex_);
  if (owner != kOthers && !found.days.empty()) owners_.insert(owner);
  Known& known = known_[owner];
  for (const auto& [kind, days] : found.days) {
    for (const auto& [keep_s, day] : days) note(known, kind, keep_s, day);
  }
  return {};
}

// What cannot be looked up is what was known: an expiry is then seen a minute later.
void KeptDays::look(const std::string& owner) {
  {
    const std::lock_guard lock(mutex_);
    if (known_.size() >= kKnownMax) known_.clear();
    Known& known = known_[owner];
    if (clock_.steady() < known.next_look) return;
    known.next_look = clock_.steady() + kLookEach;
  }
  (void)load(owner, kLookDeadline);
}

std::uint32_t KeptDays::day(const CustomerId& customer, std::string_view kind) {
  return day_of_kept(customer, kind, seconds(keeps_.of_kind(customer, kind)));
}

// Who had no rows of his own when something went has it by those of all.
std::uint32_t KeptDays::latest_day(const CustomerId& customer, std::string_view kind) {
  constexpr std::int64_t kShortest = 1;
  const std::uint32_t own = day_of_kept(customer, kind, kShortest);
  const std::lock_guard lock(mutex_);
  const auto all = known_.find(std::string(kOthers));
  if (all == known_.end()) return own;
  const auto days = all->second.days.find(kind);
  if (days == all->second.days.end()) return own;
  std::uint32_t latest = own;
  for (const auto& [keep_s, day] : days->second) latest = std::max(latest, day);
  return latest;
}

std::uint32_t KeptDays::day_of_kept(const CustomerId& customer, std::string_view kind,
                                    std::int64_t keep_s) {
  look(std::string(kOthers));
  look(customer.text());
  const std::lock_guard lock(mutex_);
  for (const std::string& owner : {customer.text(), std::string(kOthers)}) {
    const auto known = known_.find(owner);
    if (known == known_.end()) continue;
    const auto days = known->second.days.find(kind);
    if (days == known->second.days.end()) continue;
    std::uint32_t first = 0;
    for (const auto& [row_keep_s, day] : days->second) {
      if (counts(row_keep_s, keep_s)) first = std::max(first, day);
    }
    return first;
  }
  return 0;
}

// Who has rows of his own goes on having them, whether his cut is that of all or not: else what
// counts for him would be neither's.
CutDays KeptDays::held_back(std::string_view kind, const ExpiryCuts& cuts, TimestampMs span_ms) {
  std::set<std::string> owners;
  {
    const std::lock_guard lock(mutex_);
    owners = owners_;
  }
  for (const auto& [customer, cut_ms] : cuts.own) owners.insert(customer.text());
  if (shared_ != nullptr) shared_->add_customers(owners);
  CutDays days;
  const auto day_at = [&](TimestampMs before_ms) { return day_of(before_ms - span_ms); };
  days.all = day_at(shared_ == nullptr ? cuts.before_ms : shared_->held_back(kind, cuts.before_ms));
  for (const std::string& owner : owners) {
    const auto customer = CustomerId::parse(owner);
    if (!customer) continue;
    const TimestampMs cut_ms = cuts.of(*customer);
    days.own[owner] =
        day_at(shared_ == nullptr ? cut_ms : shared_->held_back(*customer, kind, cut_ms));
  }
  return days;
}

std::vector<KeptDays::Wanted> KeptDays::unknown_of(std::string_view kind,
                                                   const CutDays& days) const {
  std::vector<Wanted> wanted;
  for (const auto& [owner, day] : days.own) {
    const auto customer = CustomerId::parse(owner);
    if (!customer) continue;
    wanted.push_back({owner, seconds(keeps_.of_kind(*customer, kind)), day});
  }
  if (days.all > 0) {
    wanted.push_back({std::string(kOthers), seconds(keeps_.of_others(kind)), days.all});
  }
  const std::lock_guard lock(mutex_);
  std::erase_if(wanted, [&](const Wanted& one) {
    const auto known = known_.find(one.owner);
    if (known == known_.end()) return false;
    const auto kinds = known->second.days.find(kind);
    if (kinds == known->second.days.end()) return false;
    const auto at = kinds->second.find(one.keep_s);
    return at != kinds->second.end() && at->second >= one.day;
  });
  return wanted;
}

// Those of single customers first: what counts for all may be later than theirs.
Result<void> KeptDays::raise(std::string_view kind, const CutDays& days) {
  const std::vector<Wanted> wanted = unknown_of(kind, days);
  Requests requests(session_, "");
  for (const Wanted& one : wanted) {
    if (one.owner == kOthers) {
      if (auto written = requests.wait_for_all(); !written) return written;
    }
    BoundCells cells;
    cells.add_text(one.owner).add_text(kind).add_bigint(one.keep_s).add_int(day_column(one.day));
    cells.add_bigint(last_day_time(one.day));
    requests.add(*write_, cells);
  }
  if (auto written = requests.wait_for_all(); !written) return written;
  const std::lock_guard lock(mutex_);
  for (const Wanted& one : wanted) {
    if (one.owner != kOthers) owners_.insert(one.owner);
    note(known_[one.owner], kind, one.keep_s, one.day);
  }
  return {};
}

}  // namespace vigia::storage::store::cassandra
