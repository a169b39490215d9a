#include "services/storage/store/cassandra/instance_lease.hpp"

#include <algorithm>

#include "libs/base/random.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::RowReader;

// A beat is a number of the run by chance, never 0, and below it how often it has counted.
constexpr int kCountBits = 32;

std::int64_t bits(std::uint64_t number) { return static_cast<std::int64_t>(number); }
std::int64_t new_run() { return bits((random_u64() >> (kCountBits + 1) | 1U) << kCountBits); }

}  // namespace

InstanceLease::InstanceLease(vigia::cassandra::Session& session, const Clock& clock,
                             std::uint64_t number, Duration length)
    : session_(session), clock_(clock), length_(length), run_(new_run()), number_(number) {}

Result<void> InstanceLease::prepare(Preparation& preparation) {
  enroll_ = preparation.prepare_once(
      "INSERT INTO {}.instances (instance, beat, taken_by) VALUES (?, ?, 0) IF NOT EXISTS");
  beat_ = preparation.prepare_once(
      "UPDATE {}.instances SET beat = ?, taken_by = 0 WHERE instance = ? IF beat = ? AND taken_by "
      "= 0");
  read_ = preparation.prepare("SELECT beat, taken_by FROM {}.instances WHERE instance = ?");
  read_all_ = preparation.prepare("SELECT instance, beat, taken_by FROM {}.instances");
  claim_ = preparation.prepare_once(
      "UPDATE {}.instances SET beat = ?, taken_by = ? WHERE instance = ? IF beat = ? AND taken_by "
      "= ?");
  forget_ = preparation.prepare_once(
      "UPDATE {}.instances SET beat = 0, taken_by = ? WHERE instance = ? IF taken_by = ?");
  return preparation.outcome();
}

/// Whether a light-weight transaction was applied: the first column of its answer.
Result<bool> InstanceLease::apply(const vigia::cassandra::PreparedStatement& statement,
                                  const BoundCells& cells) {
  auto page = ask(session_, statement, cells, "");
  if (!page) return forward(page);
  if (page->rows() == 0) return malformed_row("instances");
  RowReader row = page->row(0);
  return row.read_tinyint() != 0;
}

Result<std::optional<InstanceLease::Row>> InstanceLease::read(std::uint64_t number) {
  BoundCells cells;
  cells.add_bigint(bits(number));
  auto page = ask(session_, *read_, cells, "");
  if (!page) return forward(page);
  if (page->rows() == 0) return std::optional<Row>();
  RowReader row = page->row(0);
  Row found;
  found.beat = row.read_bigint();
  found.taken_by = row.read_bigint();
  if (!row.ok()) return malformed_row("instances");
  return std::optional<Row>(found);
}

// One row that cannot be read hides no other instance: it ends by itself.
Result<std::map<std::uint64_t, InstanceLease::Row>> InstanceLease::read_all() {
  std::map<std::uint64_t, Row> all;
  auto read = session_.for_each_row({*read_all_, {}, "", kRequestDeadline}, [&](RowReader& row) {
    const std::int64_t number = row.read_bigint();
    Row one;
    one.beat = row.read_bigint();
    one.taken_by = row.read_bigint();
    if (row.ok()) all[static_cast<std::uint64_t>(number)] = one;
    return true;
  });
  if (!read) return tl::unexpected<Error>(store_error(std::move(read.error())));
  return all;
}

Result<void> InstanceLease::beat() {
  const std::lock_guard beating(beat_mutex_);
  return left_ ? finish_leaving() : beat_locked();
}

bool InstanceLease::is_of_this_run(std::int64_t beat) const {
  return beat >> kCountBits == run_ >> kCountBits;
}

Result<void> InstanceLease::beat_locked() {
  if (!is_enrolled_) return enroll();
  const Moment before = now();
  const std::int64_t next = (is_of_this_run(beats_) ? beats_ : run_) + 1;
  BoundCells cells;
  cells.add_bigint(next).add_bigint(bits(number_)).add_bigint(beats_);
  auto applied = apply(*beat_, cells);
  if (!applied) return forward(applied);
  if (!*applied) return find_out();
  beats_ = next;
  const std::lock_guard lock(mutex_);
  beaten_ = before;
  return {};
}

// A sign whose answer was lost, or one that was under way when the run before this one ended; or
// somebody has taken this instance over, or counts on in its row.
Result<void> InstanceLease::find_out() {
  auto found = read(number_);
  if (!found) return forward(found);
  const bool is_taken = !found->has_value() || (*found)->taken_by != 0;
  const bool is_shared = !is_taken && is_of_this_run(beats_) && !is_of_this_run((*found)->beat);
  if (!is_taken && !is_shared) {
    beats_ = (*found)->beat;
    return {};
  }
  const auto taker = found->has_value() ? static_cast<std::uint64_t>((*found)->taken_by) : 0;
  if (is_shared || (is_taken && taker != number_ && is_own(taker))) {
    service::log_error(
        "two processes count on as one instance: the folder of one of them is a copy of the "
        "other's. Nothing is lost, each goes on under a number of its own; end one of them, and "
        "start it in an empty folder",
        {{"number", std::to_string(number_)}});
  } else {
    service::log_warn(
        "other instances took this one for gone and take over what it had open; it goes on under "
        "another number",
        {{"number", std::to_string(number_)}});
  }
  if (is_taken || left_) {
    is_enrolled_ = false;
    return enroll();
  }
  // Whoever else counts here forgets what he does not know: all that was kept under this number is
  // taken over by this one, and he is put out.
  begin_leaving();
  return finish_leaving();
}

bool InstanceLease::is_own(std::uint64_t number) const {
  return number / kNumbers == number_ / kNumbers;
}

void InstanceLease::pass_number() {
  const std::uint64_t first = number_ / kNumbers * kNumbers;
  number_ = first + (number_ + 1 - first) % kNumbers;
}

/// Makes this instance known, under the first of some numbers that is nobody else's by now: at a
/// start that may be the one of before it, later only one that nothing was ever kept under.
Result<void> InstanceLease::enroll() {
  for (std::uint64_t tries = 0; tries < kNumbers; ++tries) {
    const Moment before = now();
    BoundCells cells;
    cells.add_bigint(bits(number_)).add_bigint(run_ + 1);
    auto applied = apply(*enroll_, cells);
    if (!applied) return forward(applied);
    std::int64_t beat = run_ + 1;
    if (!*applied) {
      auto found = read(number_);
      if (!found) return forward(found);
      if (!found->has_value()) return {};  // gone between the two; the next time
      if ((*found)->taken_by != 0 || term_.term > 0) {
        pass_number();
        continue;
      }
      beat = (*found)->beat;  // of this instance before its restart
    }
    begin_term(number_, beat);
    if (!*applied) return beat_locked();
    const std::lock_guard lock(mutex_);
    beaten_ = before;
    return {};
  }
  return fail(ErrorCode::kUnavailable, "all numbers of this instance are being taken over");
}

void InstanceLease::begin_term(std::uint64_t number, std::int64_t beat) {
  is_enrolled_ = true;
  beats_ = beat;
  const std::lock_guard lock(mutex_);
  term_ = {number, term_.term + 1};
  beaten_.reset();
}

Result<void> InstanceLease::leave(std::uint64_t number) {
  const std::lock_guard beating(beat_mutex_);
  if (!left_ && number != number_) return {};
  if (!left_) begin_leaving();
  return finish_leaving();
}

void InstanceLease::begin_leaving() {
  left_ = number_;
  is_enrolled_ = false;
  pass_number();
}

Result<void> InstanceLease::finish_leaving() {
  if (auto beaten = beat_locked(); !beaten) return beaten;
  const auto own = term();
  if (!own) return fail(ErrorCode::kUnavailable, "this instance's lease is over");
  auto found = read(*left_);
  if (!found) return forward(found);
  // Where somebody else is faster, what is left is his to take over.
  if (found->has_value() && (*found)->taken_by == 0) {
    auto claimed = claim(*left_, **found, own->number);
    if (!claimed) return forward(claimed);
    // Who counts on in that row was faster: the next time.
    if (!*claimed) return fail(ErrorCode::kUnavailable, "the number that is left is still used");
  }
  left_.reset();
  return {};
}

std::optional<LeaseTerm> InstanceLease::term() const {
  const std::lock_guard lock(mutex_);
  if (!beaten_) return std::nullopt;
  const Moment now = this->now();
  const Duration by_wall = std::chrono::nanoseconds(now.wall_ns - beaten_->wall_ns);
  if (std::max(by_wall, now.steady - beaten_->steady) >= length_ / 2) return std::nullopt;
  return term_;
}

bool InstanceLease::is_settled(std::uint64_t number, const Row& row) {
  return row.taken_by == bits(number);
}

bool InstanceLease::is_silent(std::uint64_t number) const {
  const auto at = seen_.find(number);
  return at == seen_.end() || clock_.steady() - at->second.since >= length_;
}

Result<std::vector<std::uint64_t>> InstanceLease::claim_gone() {
  std::vector<std::uint64_t> gone;
  const auto own = term();
  if (!own) return gone;
  auto all = read_all();
  if (!all) return forward(all);
  std::erase_if(seen_, [&](const auto& one) { return !all->contains(one.first); });
  for (const auto& [number, row] : *all) {
    const auto [at, is_new] = seen_.try_emplace(number, Seen{row, clock_.steady()});
    if (!is_new && at->second.row != row) at->second = {row, clock_.steady()};
  }
  for (const auto& [number, row] : *all) {
    if (number == own->number || is_settled(number, row)) continue;
    const auto taker = static_cast<std::uint64_t>(row.taken_by);
    bool is_own = taker == own->number;
    // Whoever takes over may be gone in its turn.
    if (!is_own && is_silent(number) && (taker == 0 || is_silent(taker))) {
      auto claimed = claim(number, row, own->number);
      if (!claimed) return forward(claimed);
      is_own = *claimed;
    }
    if (is_own) gone.push_back(number);
  }
  return gone;
}

Result<bool> InstanceLease::claim(std::uint64_t number, const Row& seen, std::uint64_t own) {
  BoundCells cells;
  cells.add_bigint(seen.beat + 1).add_bigint(bits(own)).add_bigint(bits(number));
  cells.add_bigint(seen.beat).add_bigint(seen.taken_by);
  return apply(*claim_, cells);
}

Result<void> InstanceLease::forget(std::uint64_t number) {
  const auto own = term();
  if (!own) return fail(ErrorCode::kUnavailable, "this instance's lease is over");
  BoundCells cells;
  // Its own number in this place says that nothing is left of it; the row ends by itself.
  cells.add_bigint(bits(number)).add_bigint(bits(number)).add_bigint(bits(own->number));
  auto applied = apply(*forget_, cells);
  if (!applied) return forward(applied);
  return {};
}

}  // namespace vigia::storage::store::cassandra
