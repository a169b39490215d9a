#include "services/storage/store/cassandra/kept_from.hpp"

#include <algorithm>

#include "services/storage/store/cassandra/series_identity.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr Duration kLookEach = std::chrono::minutes(1);
constexpr Duration kLookDeadline = std::chrono::seconds(2);  // a reader waits for it

}  // namespace

using vigia::cassandra::BoundCells;
using vigia::cassandra::RowReader;

tl::unexpected<Error> not_by_customer() {
  return fail(
      ErrorCode::kInvalid,
      "the store on Cassandra keeps all customers' data equally long: retention by customer "
      "is store.rocksdb's");
}

Result<void> KeptDays::prepare(Preparation& preparation) {
  read_ = preparation.prepare("SELECT kind, day FROM {}.kept_from");
  write_ =
      preparation.prepare("INSERT INTO {}.kept_from (kind, day) VALUES (?, ?) USING TIMESTAMP ?");
  if (auto prepared = preparation.outcome(); !prepared) return prepared;
  return load(kRequestDeadline);
}

Result<void> KeptDays::load(Duration deadline) {
  std::map<std::string, std::uint32_t, std::less<>> days;
  bool is_sound = true;
  auto read = session_.for_each_row({*read_, {}, "", deadline}, [&](RowReader& row) {
    const std::string kind(row.read_text());
    days[kind] = static_cast<std::uint32_t>(std::max(row.read_int(), 0));
    is_sound = is_sound && row.ok();
    return true;
  });
  if (!read) return read;
  if (!is_sound) return malformed_row("kept_from");
  const std::lock_guard lock(mutex_);
  for (const auto& [kind, day] : days) days_[kind] = std::max(days_[kind], day);
  return {};
}

std::uint32_t KeptDays::day(std::string_view kind) {
  bool is_due = false;
  {
    const std::lock_guard lock(mutex_);
    is_due = clock_.steady() >= next_look_;
    if (is_due) next_look_ = clock_.steady() + kLookEach;
  }
  if (is_due) (void)load(kLookDeadline);  // else what was known: an expiry is seen a minute later
  const std::lock_guard lock(mutex_);
  const auto at = days_.find(kind);
  return at == days_.end() ? 0 : at->second;
}

Result<void> KeptDays::raise(std::string_view kind, std::uint32_t day) {
  {
    const std::lock_guard lock(mutex_);
    const auto at = days_.find(kind);
    if (at != days_.end() && at->second >= day) return {};
  }
  BoundCells cells;
  cells.add_text(kind).add_int(day_column(day)).add_bigint(last_day_time(day));
  if (auto wrote = ask(session_, *write_, cells, ""); !wrote) return forward(wrote);
  const std::lock_guard lock(mutex_);
  std::uint32_t& known = days_[std::string(kind)];
  known = std::max(known, day);
  return {};
}

}  // namespace vigia::storage::store::cassandra
