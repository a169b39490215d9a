#include "services/storage/heads/closed_chunks.hpp"

#include <algorithm>
#include <new>

#include "libs/base/fault.hpp"
#include "libs/base/fault_owner.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::heads {
namespace {

constexpr Duration kCountEach = std::chrono::seconds(30);
constexpr Duration kLogEach = std::chrono::minutes(1);
constexpr Duration kGatheredLook = std::chrono::seconds(1);

TimePoint now() { return std::chrono::steady_clock::now(); }

}  // namespace

ClosedChunks::ClosedChunks(StoredSeries& store, std::size_t bytes_max,
                           const ClosedPatience& patience, const ClosedGathering& gathering)
    : store_(store),
      bytes_max_(bytes_max),
      patience_(patience),
      gathering_(gathering),
      writer_([this] { write_all(); }) {}

ClosedChunks::~ClosedChunks() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  progress_.notify_all();
  writer_.join();
}

void ClosedChunks::add(customers::CustomerNumber customer, std::vector<store::ChunkRow> rows,
                       Epoch oldest) {
  const std::lock_guard lock(mutex_);
  const bool is_gathering = gathering_.longest > Duration(0);
  waiting_.add(customer, std::move(rows), oldest, is_gathering ? now() : TimePoint());
  // What is gathered is looked for each second: whoever adds thousands wakes nobody for each.
  if (!is_gathering || is_much()) wake_.notify_one();
}

Result<void> ClosedChunks::check_room(customers::CustomerNumber customer) const {
  const std::lock_guard lock(mutex_);
  const std::size_t bytes = waiting_.bytes();
  const bool is_much = bytes > bytes_max_ / 2 && waiting_.bytes_of(customer) > bytes_max_ / 4;
  if (!is_much && bytes < bytes_max_) return {};
  Error error{ErrorCode::kUnavailable,
              "storage: closed chunks wait for the store, try again later"};
  error.retry_after = std::chrono::seconds(1);
  return tl::unexpected<Error>(std::move(error));
}

Result<void> ClosedChunks::await_room() const { return await_below(bytes_max_); }

Result<void> ClosedChunks::await_much_room() const { return await_below(bytes_max_ / 4); }

// What is apart does not count, or one bad chunk would hold up everybody; up to the bound, as
// nothing may grow for ever.
Result<void> ClosedChunks::await_below(std::size_t bytes) const {
  std::unique_lock lock(mutex_);
  const auto is_apart_full = [&] { return waiting_.apart_bytes() >= bytes_max_; };
  const auto has_room = [&] {
    return waiting_.bytes() - waiting_.apart_bytes() < bytes && !is_apart_full();
  };
  progress_.wait(
      lock, [&] { return has_room() || error_.has_value() || is_apart_full() || is_stopping_; });
  if (has_room() || is_stopping_) return {};
  return tl::unexpected<Error>(error_.has_value() ? *error_ : *apart_error_);
}

Result<void> ClosedChunks::await_stored(Duration longest) const {
  std::unique_lock lock(mutex_);
  ++awaiting_;
  wake_.notify_one();
  (void)progress_.wait_for(
      lock, longest, [&] { return waiting_.lanes() == 0 || error_.has_value() || is_stopping_; });
  --awaiting_;
  if (waiting_.chunks() == 0) return {};
  if (error_.has_value()) return tl::unexpected<Error>(*error_);
  if (waiting_.lanes() == 0 && apart_error_.has_value())
    return tl::unexpected<Error>(*apart_error_);
  return fail(ErrorCode::kDeadline, "storage: closed chunks still wait for the store");
}

std::vector<store::ChunkRow> ClosedChunks::rows_of(store::SeriesId series) const {
  const std::lock_guard lock(mutex_);
  return waiting_.rows_of(series);
}

customers::CustomerNumber ClosedChunks::owner_of(store::SeriesId series) const {
  const std::lock_guard lock(mutex_);
  return waiting_.owner_of(series);
}

std::optional<TimestampMs> ClosedChunks::newest(store::SeriesId series) const {
  const std::lock_guard lock(mutex_);
  return waiting_.newest(series);
}

Epoch ClosedChunks::oldest() const {
  const std::lock_guard lock(mutex_);
  return waiting_.oldest();
}

std::vector<std::pair<customers::CustomerNumber, store::SeriesId>> ClosedChunks::waiting_until(
    Epoch epoch) const {
  const std::lock_guard lock(mutex_);
  return waiting_.waiting_until(epoch);
}

ClosedStats ClosedChunks::stats() const {
  const std::lock_guard lock(mutex_);
  return {waiting_.chunks(), waiting_.bytes(), failures_, set_aside_, lost_};
}

// Counted as the sweeps' own failures are, of which there is one in half a minute: what passes in
// seconds, as while a damaged file is set aside, is one failure however often it was tried.
void ClosedChunks::note_failure(const Error& error) {
  if (now() >= next_count_) {
    ++failures_;
    next_count_ = now() + kCountEach;
  }
  if (now() < next_log_) return;
  next_log_ = now() + kLogEach;
  service::log_error("closed chunks cannot be stored, trying again; the write-ahead log has them",
                     {{"error", error.message}});
}

// A fault of the writer's own must not end it: everybody would wait for it.
void ClosedChunks::write_all() {
  while (!contain_faults("storage: the writer of closed chunks", [this] { run(); })) {
    Lock lock(mutex_);
    if (wake_.wait_for(lock, patience_.first, [this] { return is_stopping_; })) return;
  }
}

void ClosedChunks::run() {
  Lock lock(mutex_);
  while (!is_stopping_) {
    ClosedBlock* apart = waiting_.next_apart();
    if (apart != nullptr && now() >= apart->next_try) {
      write_apart(lock, *apart);
    } else if (const ClosedTurn turn = waiting_.next_turn(turn_rule()); !turn.blocks.empty()) {
      write(lock, turn);
    } else {
      await_more(lock, apart);
    }
  }
}

bool ClosedChunks::is_much() const {
  return waiting_.bytes() - waiting_.apart_bytes() > bytes_max_ / 8;
}

TurnRule ClosedChunks::turn_rule() const {
  TurnRule rule;
  if (gathering_.longest == Duration(0)) return rule;
  rule.bytes_at_once = gathering_.bytes_at_once;
  rule.bytes_due = gathering_.bytes_at_once;
  if (!is_much() && !is_log_short_ && awaiting_ == 0) rule.added_until = now() - gathering_.longest;
  return rule;
}

void ClosedChunks::await_more(Lock& lock, const ClosedBlock* apart) {
  if (gathering_.longest > Duration(0)) {
    (void)wake_.wait_for(lock, std::min(gathering_.longest, kGatheredLook));
  } else if (apart != nullptr) {
    wake_.wait_until(lock, apart->next_try);
  } else {
    wake_.wait(lock);
  }
}

// Never throws. Too little memory passes; any other fault is the chunks' own until it is shown that
// it is not.
Result<void> ClosedChunks::try_put(customers::CustomerNumber customer,
                                   std::span<store::ClosedChunk> chunks) {
  const FaultOwner owner(customer.value);
  Result<void> done = fail(ErrorCode::kInternal, "storage: a fault of this program");
  contain_faults("storage: writing closed chunks", [&] {
    try {
      done = store_.put(customer, chunks);
    } catch (const std::bad_alloc&) {
      done.error().code = ErrorCode::kUnavailable;
      throw;
    }
  });
  return done;
}

/// Together in one call, for which they are copied: readers look at them where they are.
Result<void> ClosedChunks::try_put(const std::vector<ClosedBlock*>& blocks) {
  if (blocks.size() == 1) return try_put(blocks.front()->customer, blocks.front()->chunks);
  std::vector<store::ClosedChunk> all;
  Result<void> copied = fail(ErrorCode::kUnavailable, "storage: memory is short");
  contain_faults("storage: gathering closed chunks", [&] {
    for (const ClosedBlock* const block : blocks) {
      all.insert(all.end(), block->chunks.begin(), block->chunks.end());
    }
    copied = {};
  });
  return copied ? try_put(blocks.front()->customer, all) : copied;
}

// The blocks are the writer's own meanwhile: nothing is added to them, and readers only look.
void ClosedChunks::write(Lock& lock, const ClosedTurn& turn) {
  lock.unlock();
  const Result<void> done = try_put(turn.blocks);
  lock.lock();
  if (done) {
    for (ClosedBlock* const block : turn.blocks) waiting_.drop(*block);
    ++taken_;
    error_.reset();
    retry_ = patience_.first;
    refused_in_a_row_ = 0;
  } else {
    note_refusal(done.error(), turn);
  }
  progress_.notify_all();
  // One customer's trouble holds up no other: it is waited once all have been refused.
  if (refused_in_a_row_ < std::max<std::size_t>(turn.due, 1)) return;
  refused_in_a_row_ = 0;
  wake_.wait_for(lock, retry_, [this] { return is_stopping_; });
  retry_ = std::min(retry_ * 2, patience_.longest);
}

void ClosedChunks::note_refusal(const Error& error, const ClosedTurn& turn) {
  if (is_retryable(error)) {
    error_ = error;
    ++refused_in_a_row_;
  } else if (turn.blocks.size() > 1) {
    // Which of them is to blame the next turns show: each is written alone.
    for (ClosedBlock* const block : turn.blocks) block->is_alone = true;
  } else {
    apart_error_ = error;
    put_apart(*turn.blocks.front());
  }
  note_failure(error);
}

void ClosedChunks::put_apart(ClosedBlock& block) {
  waiting_.set_apart(block);
  block.since = block.next_try = now();
  block.wait = patience_.first;
  block.taken_before = taken_;
}

void ClosedChunks::write_apart(Lock& lock, ClosedBlock& block) {
  for (std::size_t i = 0; i < block.chunks.size() && !is_stopping_; ++i) {
    if (!block.has(i)) continue;
    lock.unlock();
    const Result<void> done = try_put(block.customer, {&block.chunks[i], 1});
    lock.lock();
    if (done) {
      waiting_.forget(block, i);
      ++taken_;
    } else {
      apart_error_ = done.error();
      note_failure(done.error());
    }
  }
  block.next_try = now() + block.wait;
  block.wait = std::min(block.wait * 2, patience_.apart);
  // Out of here no later than when it would hold up everybody: in its file nothing of it is lost.
  const bool is_given_up = now() - block.since >= patience_.given_up;
  if (is_to_blame(block) && (is_given_up || stops_others())) set_aside(lock, block, is_given_up);
  if (block.left() == 0) waiting_.drop(block);
  progress_.notify_all();
}

// Only where the store takes others meanwhile is a chunk to blame.
bool ClosedChunks::is_to_blame(const ClosedBlock& block) const {
  return block.left() > 0 && taken_ > block.taken_before;
}

bool ClosedChunks::stops_others() const {
  return is_log_short_ || waiting_.apart_bytes() > bytes_max_ / 2;
}

// Never throws, as try_put.
Result<std::string> ClosedChunks::try_keep_aside(customers::CustomerNumber customer,
                                                 const store::ClosedChunk& chunk) {
  const FaultOwner owner(customer.value);
  Result<std::string> name = fail(ErrorCode::kInternal, "storage: a fault of this program");
  contain_faults("storage: setting a closed chunk aside",
                 [&] { name = store_.keep_aside(customer, chunk); });
  return name;
}

// Whoever holds up everybody is the last to be let go, and only after the same half hour: to refuse
// all customers' samples for one's is what the share of each is there to prevent.
void ClosedChunks::set_aside(Lock& lock, ClosedBlock& block, bool is_given_up) {
  std::string first_file;
  std::size_t kept = 0;
  std::size_t lost = 0;
  for (std::size_t i = 0; i < block.chunks.size() && !is_stopping_; ++i) {
    if (!block.has(i)) continue;
    lock.unlock();
    const auto name = try_keep_aside(block.customer, block.chunks[i]);
    lock.lock();
    if (!name) note_failure(name.error());
    const bool is_lost = !name && is_given_up && stops_others();
    if (!name && !is_lost) continue;
    if (first_file.empty() && name) first_file = *name;
    ++(is_lost ? lost : kept);
    waiting_.forget(block, i);
  }
  if (kept + lost == 0) return;
  set_aside_ += kept + lost;
  lost_ += lost;
  service::log_error(
      "closed chunks are set aside: the store takes others and never took these. Their samples are "
      "not answered until a start can store them (docs/deployment.md, \"Chunks in quarantine\")",
      {{"customer_number", std::to_string(block.customer.value)},
       {"chunks", std::to_string(kept)},
       {"first_file", first_file},
       {"lost", std::to_string(lost)},
       {"error", apart_error_->message}});
}

}  // namespace vigia::storage::heads
