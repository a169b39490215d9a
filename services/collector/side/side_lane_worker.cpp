#include "services/collector/side/side_lane_worker.hpp"

#include <algorithm>

#include "libs/base/fault.hpp"
#include "libs/delivery/backoff.hpp"
#include "libs/service/log.hpp"
#include "services/collector/side/suspects.hpp"

namespace vigia::collector::side {
namespace {

constexpr auto kLookInterval = std::chrono::milliseconds(200);
constexpr auto kFaultPause = std::chrono::seconds(1);
constexpr int kDoublingsMax = 12;
/// A fault of ours that may pass (no memory) must not cost what was acknowledged.
constexpr int kFaultTriesMax = 5;

delivery::DeliverySettings of_side(delivery::DeliverySettings settings) {
  settings.lane = delivery::Lane::kSide;
  settings.in_flight_max = SideLane::kCustomersMax;
  settings.searches_max = SideLane::kSearchesMax;
  settings.run_max = SideLane::kRunMax;
  return settings;
}

/// Until the next whole one of these spans of the steady clock: what waits so is tried together,
/// and becomes one entry.
Duration until_next(Duration span, TimePoint now) { return span - now.time_since_epoch() % span; }

/// How much a request weighs: values, or items of bodies.
std::size_t weight_of(const delivery::Parcel& parcel, std::size_t first, std::size_t last) {
  if (first < last && parcel.is_value(parcel.units[first])) return last - first;
  std::size_t weight = 0;
  for (std::size_t i = first; i < last; ++i) weight += parcel.units[i].items;
  return weight;
}

}  // namespace

SideLane::Worker::Worker(SideLane& lane, bool is_for_hanging)
    : lane_(lane),
      parts_(lane.parts_),
      is_for_hanging_(is_for_hanging),
      delivery_(of_side(lane.settings_.delivery), parts_.transport, parts_.clock, parts_.evidence,
                parts_.prober) {}

void SideLane::Worker::run() {
  while (!lane_.is_stopping_) {
    // Read before the queue is looked at: what is put in between is then no reason to sleep.
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(lane_.mutex_);
      seen = lane_.changes_;
    }
    contain_faults("the room of the side queue", [&] { parts_.queue.keep_room(); });
    bool had_work = false;
    if (!contain_faults("the side lane's turn", [&] { had_work = take_turn(); })) {
      std::unique_lock lock(lane_.mutex_);
      lane_.changed_.wait_for(lock, kFaultPause, [this] { return lane_.is_stopping_.load(); });
    }
    if (had_work) continue;
    std::unique_lock lock(lane_.mutex_);
    lane_.changed_.wait_for(lock, kLookInterval,
                            [&] { return lane_.is_stopping_ || lane_.changes_ != seen; });
  }
}

bool SideLane::Worker::take_turn() {
  // Two workers: whoever hangs until each time-out keeps the one that is for such, and all others
  // have theirs.
  const auto picked =
      parts_.queue.pick(kCustomersMax, kTurnBytesMax, [this](const CustomerId& customer) {
        return lane_.is_hanging(customer) == is_for_hanging_ && may_be_refused(customer);
      });
  if (picked.empty()) return false;
  std::vector<Work> works;
  for (const auto& items : picked) works.emplace_back(items);
  works_ = &works;
  const bool is_sound = contain_faults("what was set aside", [&] { work_off(works); });
  works_ = nullptr;
  for (const Work& work : works) {
    if (!work.has_suspects) continue;
    contain_faults("suspects that become one entry", [&] {
      merge_suspects(parts_.queue, parts_.packer, work.head, lane_.settings_.give_up_after);
    });
  }
  for (Work& work : works) {
    if (work.is_closed) continue;
    // A fault of ours: tried again, later, and never let go for it.
    give_back(work, is_sound ? Duration::zero() : Duration(kSuspectWaitMax));
  }
  return true;
}

void SideLane::Worker::work_off(std::vector<Work>& works) {
  const TimePoint until = parts_.clock.steady() + kTurnMax;
  for (;;) {
    std::vector<delivery::Parcel> pieces;
    for (Work& work : works) {
      if (work.is_closed) continue;
      work.begin_piece();
      delivery::Parcel piece = next_piece(work);
      work.units = piece.units.size();
      if (!piece.units.empty()) pieces.push_back(std::move(piece));
    }
    if (!delivery_.run(pieces, *this)) return;  // to stop: what is not settled comes again
    bool has_more = false;
    for (Work& work : works) {
      if (work.is_closed) continue;
      settle(work);
      // What comes out of its records waits until what came out of them has found its end.
      if (work.head.holds_records && !parts_.queue.has_room_for_units(work.head.customer))
        close(work);
      if (!may_be_refused(work.head.customer)) close(work);
      has_more = has_more || !work.is_closed;
    }
    if (!has_more || lane_.is_stopping_) return;
    if (parts_.clock.steady() < until) continue;
    for (Work& work : works) close(work);
    return;
  }
}

SideLane::Work& SideLane::Worker::work_of(const delivery::Parcel& parcel) {
  return *std::find_if(works_->begin(), works_->end(), [&parcel](const Work& work) {
    return work.head.customer == parcel.customer;
  });
}

delivery::Parcel SideLane::Worker::next_piece(Work& work) {
  delivery::Parcel piece{.customer = work.head.customer,
                         .signal = work.head.signal,
                         .stage = work.head.stage,
                         .weight_max = lane_.weight_max(work.head.customer)};
  if (work.head.holds_records) {
    pack_records(work, piece);
    return piece;
  }
  while (!work.items.empty()) {
    auto entry = parts_.queue.load(work.items.front());
    if (!entry && !is_lost(work, work.items.front(), entry.error())) break;
    const SideItem item = work.items.front();
    work.items.erase(work.items.begin());
    if (!entry) continue;
    work.packed.push_back(item);
    work.piece_items += item.head.items;
    const auto index = static_cast<std::uint32_t>(work.packed.size() - 1);
    // Items are told apart by their entry from here on; in the files each begins at 0.
    for (delivery::Unit& unit : entry->parcel.units) unit.record = index;
    const std::size_t units = entry->parcel.units.size();
    const std::size_t first =
        work.has_suspects ? nth_kind(parts_.packer, entry->parcel, item.attempts) : 0;
    // Another kind is the first at each try, so that one that always fails does not keep the search
    // from the others.
    if (first < units) piece.append(entry->parcel, first, units);
    if (first > 0) piece.append(entry->parcel, 0, first);
  }
  const bool is_old_suspect =
      !work.packed.empty() && piece.stage != delivery::Parcel::SearchStage::kFresh &&
      parts_.clock.steady() >= work.packed.front().since + lane_.settings_.give_up_after;
  if (is_old_suspect) piece.stage = delivery::Parcel::SearchStage::kLastTry;
  return piece;
}

/// Moves on to the next entry of records. False where there is none.
bool SideLane::Worker::open_entry(Work& work) {
  while (!work.entry || work.entry->records.empty()) {
    if (work.entry) {                                          // its last record is packed
      work.piece_items += std::exchange(work.entry_items, 0);  // what had nothing to give
      work.packed.push_back(work.items.front());
      work.items.erase(work.items.begin());
      work.entry.reset();
    }
    if (work.items.empty()) return false;
    auto entry = parts_.queue.load(work.items.front());
    if (entry) {
      work.entry = *std::move(entry);
      work.entry_items = work.items.front().head.items;
      work.entry_opened = work.items.front().place.value_or(SidePlace{});
      if (!work.entry->records.empty()) work.entry_opened.from = work.entry->records.front().from;
      work.entry_place = work.entry_opened;
      continue;
    }
    if (!is_lost(work, work.items.front(), entry.error())) return false;
    work.items.erase(work.items.begin());
  }
  return true;
}

/// Whether the entry, which could not be read, never will be; it is set aside and counted then.
/// Else it is tried again later.
bool SideLane::Worker::is_lost(Work& work, const SideItem& item, const Error& error) {
  const bool is_damage = error.code == ErrorCode::kCorrupt || error.code == ErrorCode::kNotFound ||
                         error.code == ErrorCode::kInvalid;
  if (item.attempts == 0 || is_damage)
    service::log_error(is_damage ? "what was set aside is damaged; its file is kept"
                                 : "what was set aside cannot be read now",
                       {{"customer_id", item.head.customer.text()}, {"why", error.message}});
  work.is_stalled = !is_damage;
  if (!is_damage) return false;
  parts_.owner.on_side_dropped(item.head.customer, item.head.signal, books::DropCause::kDamaged,
                               item.head.items);
  parts_.queue.quarantine(item);
  return true;
}

/// As the packer's, but where it fails the piece is as it was.
Result<delivery::Packed> SideLane::Worker::pack_record(SideRecord& record, std::uint32_t& index,
                                                       delivery::Parcel& piece,
                                                       bool& is_fault_of_ours) {
  const std::size_t bytes_before = piece.message.size();
  const std::size_t units_before = piece.units.size();
  Result<delivery::Packed> packed =
      fail(ErrorCode::kInternal, "a fault of this program, see its log");
  is_fault_of_ours = !contain_faults("packing of a record", [&] {
    if (auto opened = record.open(); !opened)
      packed = forward(opened);
    else
      packed = parts_.packer.pack(index++, record.view(), record.from, kPieceBytesMax, piece);
  });
  if (!packed) {
    piece.message.resize(bytes_before);
    piece.units.resize(units_before);
  }
  return packed;
}

void SideLane::Worker::pack_records(Work& work, delivery::Parcel& piece) {
  std::uint32_t index = 0;
  while (piece.message.size() < kPieceBytesMax &&
         piece.units.size() < delivery::Packer::kUnitsMax && open_entry(work)) {
    SideRecord& record = work.entry->records.front();
    bool is_fault_of_ours = false;
    const auto packed = pack_record(record, index, piece, is_fault_of_ours);
    if (!packed) {
      if (is_fault_of_ours && work.items.front().attempts < kFaultTriesMax) {
        work.is_stalled = true;
        return;
      }
      const std::uint64_t items =
          std::min<std::uint64_t>(record.items - record.rejected, work.entry_items);
      work.entry_items -= items;
      work.piece_items += items;
      drop_damaged(work, items, record.plain(), packed.error().message);
      work.pass_record();
      continue;
    }
    const std::uint64_t items = std::min<std::uint64_t>(packed->items, work.entry_items);
    work.entry_items -= items;
    work.piece_items += items;
    if (packed->lost > 0)
      drop_damaged(work, packed->lost, record.plain(), "points have no Prometheus form");
    if (packed->next)
      work.entry_place.from = record.from = *packed->next;
    else
      work.pass_record();
  }
  if (work.entry && work.entry->records.empty()) (void)open_entry(work);
}

void SideLane::Worker::drop_damaged(Work& work, std::uint64_t items, std::string_view message,
                                    const std::string& why) {
  work.damaged += items;
  service::log_error("what was set aside cannot be read",
                     {{"customer_id", work.head.customer.text()}, {"why", why}});
  if (!message.empty())
    parts_.owner.on_side_letter({.customer = work.head.customer, .signal = work.head.signal},
                                message, why, true);
}

void SideLane::Worker::settle(Work& work) {
  lane_.note_turn(work);
  const SideLaneSettings& settings = lane_.settings_;
  const bool is_suspect = work.head.stage != delivery::Parcel::SearchStage::kFresh;
  const int attempts = work.packed.empty() ? 0 : work.packed.front().attempts;
  const Duration longest =
      is_suspect ? std::max<Duration>(kSuspectWaitMax,
                                      kSuspectPace * parts_.queue.suspects(work.head.customer))
                 : settings.delivery.retry_max;
  const Duration wait = vigia::delivery::doubled(
      settings.delivery.retry_initial,
      static_cast<std::uint32_t>(std::min(attempts, kDoublingsMax)), longest);
  // Where nothing has changed no file is written: a destination that is away for a day must not
  // cost a rewrite of the queue at each try.
  const bool is_untouched = (work.left || work.suspects || work.too_new) && !work.has_changed();
  if (is_untouched && work.too_new) {
    parts_.queue.postpone(work.packed, too_new_wait(work, parts_.clock.steady()));
    work.packed.clear();
    close(work);
    return;
  }
  if ((is_untouched && !work.is_continued()) || !keep(work)) {
    give_back(work, wait);
    return;
  }
  book(work);
  work.note_place();
  // Last: what is left has its entries and the books are right. A kill before this brings it twice.
  parts_.queue.remove(work.packed);
  work.packed.clear();
  if (work.is_slow || is_untouched || work.is_stalled) {
    const Duration asked = std::min<Duration>(work.asked_wait, kAskedWaitMax);
    close(work);
    parts_.queue.delay(work.head.customer, std::max(settings.delivery.retry_initial, asked));
    return;
  }
  work.is_closed = work.items.empty();
}

/// What is left gets entries of its own. False where they cannot be written.
bool SideLane::Worker::keep(Work& work) {
  std::vector<SidePut> puts;
  std::uint64_t items = 0;
  for (std::optional<delivery::Parcel>* part : {&work.left, &work.suspects, &work.too_new}) {
    if (!*part || (*part)->units.empty()) continue;
    const bool is_suspect =
        part == &work.suspects || work.head.stage != delivery::Parcel::SearchStage::kFresh;
    SidePut put{{work.head, std::move(**part), {}}};
    put.entry.head.items = put.entry.parcel.items();
    put.entry.head.stage = is_suspect ? delivery::Parcel::SearchStage::kSuspect
                                      : delivery::Parcel::SearchStage::kFresh;
    items += put.entry.head.items;
    if (is_suspect && work.head.stage != delivery::Parcel::SearchStage::kFresh &&
        !work.packed.empty())
      // A suspect keeps its age, or a piece of it would never come to its last try.
      put.since = work.packed.front().since;
    if (is_suspect) put.wait = lane_.settings_.delivery.retry_initial;
    if (part == &work.too_new) put.wait = too_new_wait(work, parts_.clock.steady());
    work.has_suspects = work.has_suspects || is_suspect;
    puts.push_back(std::move(put));
  }
  if (puts.empty()) return true;
  if (const auto put = parts_.queue.put_all(puts); !put) {
    service::log_error("what is left of the side queue's entries cannot be written",
                       {{"error", put.error().message}});
    return false;
  }
  work.piece_items -= std::min(work.piece_items, items);
  return true;
}

void SideLane::Worker::book(const Work& work) {
  const CustomerId& customer = work.head.customer;
  const std::uint64_t damaged = std::min(work.damaged, work.piece_items);
  const std::uint64_t dropped = std::min(work.dropped, work.piece_items - damaged);
  if (damaged > 0)
    parts_.owner.on_side_dropped(customer, work.head.signal, books::DropCause::kDamaged, damaged);
  if (dropped > 0)
    parts_.owner.on_side_dropped(customer, work.head.signal, books::DropCause::kRefused, dropped);
  const std::uint64_t sent = work.piece_items - damaged - dropped;
  if (sent > 0) parts_.owner.on_side_sent(customer, work.head.signal, sent);
}

Duration SideLane::Worker::too_new_wait(const Work& work, TimePoint now) {
  const int attempts = work.packed.empty() ? 0 : work.packed.front().attempts;
  return until_next(
      vigia::delivery::doubled(
          kTooNewWait, static_cast<std::uint32_t>(std::min(attempts / kTooNewTries, kDoublingsMax)),
          kTooNewWaitMax),
      now);
}

/// All of the piece again, after a while; of what earlier ones have done nothing.
void SideLane::Worker::give_back(Work& work, Duration wait) {
  shorten(work);
  parts_.queue.put_back(work.packed, wait);
  if (work.packed.empty())
    parts_.queue.put_back(work.items, wait);
  else
    parts_.queue.release(work.items);  // nothing of them was tried
  work.is_closed = true;
}

/// Of an entry that is partly done the rest is written.
void SideLane::Worker::shorten(Work& work) {
  work.entry.reset();
  for (std::vector<SideItem>* items : {&work.packed, &work.items}) {
    for (SideItem& item : *items)
      if (item.place) parts_.queue.shorten(item);
  }
}

/// What the turn did not come to.
void SideLane::Worker::close(Work& work) {
  if (work.is_closed) return;
  shorten(work);
  if (work.is_stalled && !work.items.empty()) {  // the front one was tried
    parts_.queue.put_back({work.items.front()}, Duration::zero());
    work.items.erase(work.items.begin());
  }
  parts_.queue.release(work.items);
  work.is_closed = true;
}

void SideLane::Worker::on_refused(const delivery::Parcel& parcel, std::size_t unit,
                                  const std::string& why) {
  Work& work = work_of(parcel);
  const delivery::Unit& refused = parcel.units[unit];
  // Several series may come from one point, which is refused once.
  const bool is_point = parcel.is_value(refused);
  if (is_point && refused.item != delivery::Unit::kNoItem)
    work.dropped += work.dropped_items.insert({refused.record, refused.item}).second ? 1 : 0;
  else
    work.dropped += refused.items;
  if (is_point && refused.item == delivery::Unit::kNoItem)
    work.has_taken = true;  // gone, and nobody's
  parts_.owner.on_side_letter(parcel, parcel.run(unit, unit + 1), why, false);
}

void SideLane::Worker::on_rejected(const delivery::Parcel& parcel, std::size_t first,
                                   std::size_t last, std::uint64_t count, const std::string& why) {
  Work& work = work_of(parcel);
  std::uint64_t items = 0;
  for (std::size_t i = first; i < last; ++i) items += parcel.units[i].items;
  work.dropped += std::min(count, items);
  parts_.owner.on_side_letter(parcel, {}, why, false);
}

void SideLane::Worker::on_set_aside(const delivery::Parcel& parcel, std::size_t first,
                                    std::size_t last, delivery::Aside aside,
                                    const std::string& /*why*/) {
  Work& work = work_of(parcel);
  if (aside == delivery::Aside::kSlow) work.is_slow = true;
  // Suspects wait each for itself anyway, and stay what they are.
  const bool is_too_new =
      aside == delivery::Aside::kTooNew && work.head.stage == delivery::Parcel::SearchStage::kFresh;
  std::optional<delivery::Parcel>& part = is_too_new                           ? work.too_new
                                          : aside == delivery::Aside::kSuspect ? work.suspects
                                                                               : work.left;
  if (!part) part.emplace(delivery::Parcel{.customer = parcel.customer, .signal = parcel.signal});
  part->append(parcel, first, last);
}

void SideLane::Worker::on_answer(const delivery::Parcel& parcel, std::size_t first,
                                 std::size_t last, const delivery::Answer& answer, Duration took) {
  Work& work = work_of(parcel);
  if (answer.kind == delivery::Answer::Kind::kTaken) work.has_taken = true;
  if (answer.retry_after) work.asked_wait = std::max(work.asked_wait, *answer.retry_after);
  if (answer.is_timeout) {
    const std::size_t weight = weight_of(parcel, first, last);
    if (work.timed_out == 0 || weight < work.timed_out) work.timed_out = weight;
  }
  parts_.owner.on_side_answer(parcel, first, last, answer, took);
}

}  // namespace vigia::collector::side
