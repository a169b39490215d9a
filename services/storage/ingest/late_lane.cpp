#include "services/storage/ingest/late_lane.hpp"

#include <algorithm>
#include <optional>

#include "libs/base/fault.hpp"
#include "libs/base/fault_owner.hpp"

namespace vigia::storage::ingest {
namespace {

// Of one turn: some ten milliseconds.
constexpr std::size_t kPartItems = 500;
constexpr std::size_t kOwedPart = 4;  // of the memory

std::size_t items_of(const std::vector<heads::StoreWork>& part) {
  std::size_t items = 0;
  for (const heads::StoreWork& one : part) items += one.items();
  return items;
}

std::size_t bytes_of(const heads::StoreWork& work) {
  std::size_t bytes = sizeof(work) + work.samples.size() * sizeof(Sample);
  for (const auto& histogram : work.histograms) {
    bytes += sizeof(histogram) + histogram.encoded.size();
  }
  return bytes;
}

template <typename T>
std::vector<T> take_front(std::vector<T>& all, std::size_t count) {
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(count, all.size()));
  std::vector<T> front(std::make_move_iterator(all.begin()), std::make_move_iterator(end));
  all.erase(all.begin(), end);
  return front;
}

// What may take one turn: as many as kPartItems of one customer.
std::vector<std::vector<heads::StoreWork>> cut(std::vector<heads::StoreWork> work) {
  std::vector<std::vector<heads::StoreWork>> parts;
  std::size_t items = 0;
  for (heads::StoreWork& one : work) {
    while (one.items() > 0) {
      if (parts.empty() || items >= kPartItems ||
          parts.back().front().series.customer != one.series.customer) {
        parts.emplace_back();
        items = 0;
      }
      heads::StoreWork piece{
          one.series, take_front(one.samples, kPartItems), {}, one.epoch, one.turn};
      if (piece.samples.empty()) piece.histograms = take_front(one.histograms, kPartItems);
      items += piece.items();
      parts.back().push_back(std::move(piece));
    }
  }
  return parts;
}

}  // namespace

std::string lane_of(customers::CustomerNumber customer) { return std::to_string(customer.value); }

// Answered by its end, when nobody works on a part of it any more: so it is answered whatever
// became of a part, also where a fault of ours let one go.
struct LateLane::Request {
  explicit Request(Done answer) : done(std::move(answer)) {}
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request() {
    // Before the answer: who sends again at once finds the room.
    held.clear();
    // Where it throws, `done` goes without having been called, which whoever waits hears as well.
    contain_faults("storage: the answer to late samples", [this] { done(outcome()); });
  }
  /// A success only of what was queued to its last part, and done to its last part.
  Result<heads::AppendCounts> outcome() const {
    if (error.has_value()) return tl::unexpected<Error>(*error);
    if (!is_queued || parts > 0)
      return fail(ErrorCode::kInternal, "storage: a fault of this program");
    return counts;
  }
  void note(const Result<heads::AppendCounts>& part) {
    const std::lock_guard lock(mutex);
    if (part) counts += *part;
    if (!part && !error.has_value()) error = part.error();
    --parts;  // last: a part whose failure could not be noted is not done
  }

  std::mutex mutex;
  bool is_queued = false;  // all of its parts
  std::size_t parts = 0;   // that are not done
  heads::AppendCounts counts;
  std::optional<Error> error;
  const Done done;
  std::vector<std::unique_ptr<lanes::HeldShare>> held;  // by customer, for all parts
};

// From before a part is queued until after it is done: in between the sweep must see the epoch, or
// it would let go the log that still holds these samples.
struct LateLane::Waiting {
  Waiting(LateLane& lane, const std::vector<heads::StoreWork>& part)
      : late(lane), epoch(part.front().epoch), items(items_of(part)) {
    const std::lock_guard lock(late.mutex_);
    late.items_[epoch] += items;
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { late.forget(epoch, items); }

  LateLane& late;
  const heads::Epoch epoch;
  const std::size_t items;
};

LateLane::LateLane(heads::HeadSet& heads, std::size_t bytes_max)
    : owed_(heads, bytes_max / kOwedPart),
      bytes_("late samples", bytes_max - bytes_max / kOwedPart),
      lanes_({"late samples", 1, 1, SIZE_MAX, SIZE_MAX}) {}

Result<void> LateLane::check(const std::string& lane) const {
  if (auto room = bytes_.check(lane); !room) return room;
  return lanes_.check(lane);
}

void LateLane::submit(std::vector<heads::StoreWork> work, Done done) {
  const auto request = std::make_shared<Request>(std::move(done));  // shared by its parts
  hold(work, *request);
  auto parts = cut(std::move(work));
  request->parts = parts.size();
  for (auto& part : parts) submit_part(std::move(part), request);
  request->is_queued = true;
}

void LateLane::hold(const std::vector<heads::StoreWork>& work, Request& request) {
  std::map<std::string, std::size_t> bytes;
  for (const heads::StoreWork& one : work) bytes[lane_of(one.series.customer)] += bytes_of(one);
  for (const auto& [lane, amount] : bytes) {
    request.held.push_back(std::make_unique<lanes::HeldShare>(bytes_, lane));
    // What has no room here holds its share of what is under way, until it is answered.
    (void)request.held.back()->grow_to(amount);
  }
}

void LateLane::submit_part(std::vector<heads::StoreWork> part,
                           const std::shared_ptr<Request>& request) {
  const std::string lane = lane_of(part.front().series.customer);
  auto waiting = std::make_unique<Waiting>(*this, part);
  auto job = [this, part = std::move(part), request, waiting = std::move(waiting)]() mutable {
    Result<heads::AppendCounts> counts = fail(ErrorCode::kInternal, "storage: a fault of our own");
    contain_faults("late samples", [&] { counts = append(part); });
    waiting.reset();  // before the request's end, which answers
    request->note(counts);
  };
  if (!lanes_.go_on(lane, std::move(job)))
    request->note(fail(ErrorCode::kUnavailable, "storage is stopping, try again"));
}

Result<heads::AppendCounts> LateLane::append(std::vector<heads::StoreWork>& part) {
  heads::AppendCounts counts;
  for (auto one = part.begin(); one != part.end(); ++one) {
    const std::size_t items = one->items();
    const FaultOwner owner(one->series.customer.value);
    Result<heads::AppendCounts> more;
    const bool is_whole = contain_faults("storage: a late sample's series",
                                         [&] { more = owed_.append(std::move(*one)); });
    if (!more) {
      while (++one != part.end()) owed_.owe(std::move(*one));
      return more;
    }
    if (!is_whole) more->set_aside = items;
    counts += *more;
  }
  return counts;
}

void LateLane::forget(heads::Epoch epoch, std::size_t items) {
  const std::lock_guard lock(mutex_);
  const auto at = items_.find(epoch);
  at->second -= items;
  if (at->second == 0) items_.erase(at);
}

heads::Epoch LateLane::oldest() const {
  const std::lock_guard lock(mutex_);
  return items_.empty() ? heads::kNoEpoch : items_.begin()->first;
}

std::size_t LateLane::items() const {
  const std::lock_guard lock(mutex_);
  std::size_t items = 0;
  for (const auto& [epoch, count] : items_) items += count;
  return items;
}

}  // namespace vigia::storage::ingest
