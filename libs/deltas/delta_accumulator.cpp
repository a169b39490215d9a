#include "libs/deltas/delta_accumulator.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <protozero/exception.hpp>

#include "libs/base/bytes.hpp"

namespace vigia::deltas {
namespace {

/// Two points of one series never carry one time: the later is moved by this.
constexpr std::uint64_t kTimeStepNs = 1'000'000;
constexpr Duration kForgetInterval = std::chrono::seconds(1);

bool has_start(const DeltaPoint& point) {
  return point.start_ns != 0 && point.start_ns <= point.time_ns;
}

}  // namespace

DeltaAccumulator::DeltaAccumulator(const Clock& clock, AccumulatorSettings settings)
    : clock_(clock), settings_(settings) {}

DeltaAccumulator::~DeltaAccumulator() {
  discard();
  count(0, bytes_);
}

Result<std::string> DeltaAccumulator::rewrite(std::string_view body, PointJudge& judge) {
  touched_.clear();
  auto points = find_deltas(body, judge);
  if (!points) return forward(points);
  // Senders put the newest first, or merge what several threads have seen.
  std::stable_sort(points->begin(), points->end(), [](const auto& left, const auto& right) {
    return std::tie(left.time_ns, left.start_ns) < std::tie(right.time_ns, right.start_ns);
  });
  const auto wall_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(clock_.wall_ns(), 0));
  const Now now{wall_ns, wall_ns + static_cast<std::uint64_t>(kAheadMax.count())};
  Places places;
  std::vector<Made> made;
  std::size_t made_bytes = 0;
  try {
    for (const DeltaPoint& point : *points) {
      std::string bytes;
      if (const auto fault = add(point, now, bytes)) {
        judge.refuse(point.item, *fault);
        if (settings_.leaves_out_refused) places.emplace_back(point.item, std::nullopt);
        continue;
      }
      made_bytes += bytes.size();
      if (made_bytes > kMadeBytesMax) {
        return fail(
            ErrorCode::kTooLarge,
            fmt::format("the request's delta points, added up, are over {} MiB; send fewer at once",
                        kMadeBytesMax >> 20U));
      }
      made.push_back({point.stream, point.item, std::move(bytes)});
    }
    // Of each stream the places that its points had, with the points in order of time.
    const auto by_stream = [](const Made& left, const Made& right) {
      return left.stream < right.stream;
    };
    std::stable_sort(made.begin(), made.end(), by_stream);
    std::vector<std::pair<StreamKey, std::uint32_t>> slots;
    slots.reserve(made.size());
    for (const Made& one : made) {
      slots.emplace_back(one.stream, one.item);
      if (touched_.empty() || touched_.back() != one.stream) touched_.push_back(one.stream);
    }
    std::sort(slots.begin(), slots.end());
    for (std::size_t index = 0; index < made.size(); ++index)
      places.emplace_back(slots[index].second, std::move(made[index].bytes));
    std::sort(places.begin(), places.end(),
              [](const auto& left, const auto& right) { return left.first < right.first; });
    return with_places(body, places);
  } catch (const protozero::exception& damage) {
    return fail(ErrorCode::kInvalid, fmt::format("a point cannot be read: {}", damage.what()));
  }
}

/// Nothing of its stream has changed where the point is at fault.
std::optional<DeltaFault> DeltaAccumulator::add(const DeltaPoint& point, const Now& now,
                                                std::string& made) {
  if (const auto fault = sum_.read(point)) return fault;
  Pending* pending = state_for(point.stream, sum_.bytes_more());
  if (pending == nullptr) return DeltaFault::kNoRoom;
  // The mark itself goes on, so that whoever reads it ends the series too.
  if (sum_.is_stale()) {
    pending->has_ended = true;
    made = point.bytes;
    return std::nullopt;
  }
  StreamState state = pending->has_ended ? StreamState{} : pending->state;
  if (state.start_ns != 0 && !state.known.is_new(point.time_ns)) return DeltaFault::kRepeated;
  // Our clock was ahead: the stream would keep all points out until then.
  if (state.written_ns > now.latest_ns) state = StreamState{};
  const bool is_behind_a_gap = settings_.restarts_at_gaps && has_start(point) &&
                               state.start_ns != 0 && point.start_ns > state.known.latest();
  if (is_behind_a_gap || sum_.is_of_other_shape(state)) state.restart();
  const std::uint64_t time_ns = begin(state, point, now);
  if (!sum_.add_to(state)) return DeltaFault::kUnfit;
  made = sum_.write(state, time_ns);
  pending->state = std::move(state);
  pending->has_ended = false;
  return std::nullopt;
}

/// The time to write the point with.
std::uint64_t DeltaAccumulator::begin(StreamState& state, const DeltaPoint& point, const Now& now) {
  if (state.start_ns == 0) {
    state.start_ns = has_start(point) ? point.start_ns : point.time_ns;
    if (state.start_ns > now.latest_ns) state.start_ns = now.wall_ns;
  }
  state.used_at = clock_.steady();
  state.known.add(point.time_ns);
  // Added up, but not let into the stream's clock: the right points after it keep their time.
  if (point.time_ns > now.latest_ns) return point.time_ns;
  // Forward only: stores refuse a second point of one time, and with it what it adds.
  state.written_ns =
      std::max(point.time_ns, state.written_ns == 0 ? 0 : state.written_ns + kTimeStepNs);
  return state.written_ns;
}

bool DeltaAccumulator::has_room_for(std::size_t bytes) const {
  if (bytes == 0) return true;
  const std::size_t wanted = bytes_ + pending_growth_ + bytes;
  if (wanted > settings_.bytes_max) return false;
  const SharedRoom* room = settings_.room;
  if (room == nullptr || wanted <= room->part()) return true;
  const std::size_t common = room->bytes_max / 2;
  const std::size_t beyond = wanted - room->part();
  const std::size_t used = room->beyond - counted_beyond_ + beyond;
  return used <= common && beyond / 2 <= common - used;
}

void DeltaAccumulator::recount() {
  SharedRoom* room = settings_.room;
  if (room == nullptr) return;
  const std::size_t has = bytes_ + pending_growth_;
  const std::size_t beyond = has - std::min(has, room->part());
  room->used = room->used - counted_ + has;
  room->beyond = room->beyond - counted_beyond_ + beyond;
  counted_ = has;
  counted_beyond_ = beyond;
}

/// Works on a copy of the stream until commit: a request whose bytes the disk does not take is sent
/// again, and must then not count twice. `growth`: what its buckets take after this point.
DeltaAccumulator::Pending* DeltaAccumulator::state_for(const StreamKey& key, std::size_t growth) {
  const std::size_t wanted = sizeof(StreamState) + 2 * sizeof(StreamKey) + growth;
  const auto found = pending_.find(key);
  if (found == pending_.end()) return new_pending(key, wanted);
  Pending& pending = found->second;
  const std::size_t grows_by = wanted > pending.reserved ? wanted - pending.reserved : 0;
  if (!has_room_for(grows_by)) return nullptr;
  pending_growth_ += grows_by;
  pending.reserved += grows_by;
  recount();
  return &pending;
}

DeltaAccumulator::Pending* DeltaAccumulator::new_pending(const StreamKey& key, std::size_t wanted) {
  const auto known = states_.find(key);
  const bool is_new = known == states_.end();
  const std::size_t before = is_new ? 0 : known->second.bytes();
  const std::size_t grows_by = wanted > before ? wanted - before : 0;
  const auto is_full = [&] {
    const bool are_too_many = is_new && states_.size() + pending_new_ >= settings_.streams_max;
    return are_too_many || !has_room_for(grows_by);
  };
  // Only when the room is needed: a walk over all states is not for each request.
  if (is_full() && is_new) forget_idle_now_and_then();
  if (is_full()) return nullptr;
  pending_growth_ += grows_by;
  recount();
  StreamState state = is_new ? StreamState{} : known->second;
  if (is_new) ++pending_new_;
  return &pending_.emplace(key, Pending{std::move(state), before + grows_by, false}).first->second;
}

/// Once a second: whoever is over the limit comes with each of its points.
void DeltaAccumulator::forget_idle_now_and_then() {
  const TimePoint now = clock_.steady();
  if (forgot_at_ && now - *forgot_at_ < kForgetInterval) return;
  forgot_at_ = now;
  forget_idle();
}

void DeltaAccumulator::forget_idle() {
  const TimePoint limit = clock_.steady() - settings_.idle_max;
  std::erase_if(states_, [&](const auto& entry) {
    if (entry.second.used_at >= limit) return false;
    count(0, entry.second.bytes());
    return true;
  });
}

void DeltaAccumulator::count(std::size_t more, std::size_t less) {
  bytes_ = bytes_ + more - less;
  recount();
}

void DeltaAccumulator::forget(const StreamKey& key) {
  const auto known = states_.find(key);
  if (known == states_.end()) return;
  count(0, known->second.bytes());
  states_.erase(known);
}

void DeltaAccumulator::keep(const StreamKey& key, StreamState state) {
  forget(key);
  count(states_.emplace(key, std::move(state)).first->second.bytes(), 0);
}

void DeltaAccumulator::commit() {
  for (auto& [key, pending] : pending_) {
    if (pending.has_ended) {
      forget(key);
    } else if (pending.state.start_ns != 0) {  // 0: made for a point that was refused
      keep(key, std::move(pending.state));
    }
  }
  discard();
}

void DeltaAccumulator::discard() {
  pending_.clear();
  touched_.clear();
  pending_growth_ = 0;
  pending_new_ = 0;
  recount();
}

std::string DeltaAccumulator::changes() const {
  std::string out;
  for (const StreamKey& key : touched_) {
    const Pending& pending = pending_.at(key);
    append_change(out, {key, pending.has_ended ? nullptr : &pending.state});
  }
  return out;
}

std::string DeltaAccumulator::all() const {
  std::string out;
  for (const auto& [key, state] : states_) append_change(out, {key, &state});
  return out;
}

Result<void> DeltaAccumulator::restore(std::string_view changes) {
  ByteReader reader(changes);
  while (!reader.rest().empty()) {
    const StreamKey key{reader.read_u64(), reader.read_u64()};
    const std::uint8_t is_there = reader.read_u8();
    if (!reader.ok() || is_there > 1) return fail(ErrorCode::kCorrupt, "no states of deltas");
    if (is_there == 0) {
      forget(key);
      continue;
    }
    StreamState state = StreamState::decode(reader);
    if (!reader.ok()) return fail(ErrorCode::kCorrupt, "states of deltas are cut off");
    state.used_at = clock_.steady();
    keep(key, std::move(state));
  }
  return {};
}

}  // namespace vigia::deltas
