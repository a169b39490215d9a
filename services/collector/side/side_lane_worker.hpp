// What one thread of the side lane does, and with what. Of side_lane.cpp alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "services/collector/side/side_lane.hpp"

namespace vigia::collector::side {

/// One customer's part of a turn.
struct SideLane::Work {
  explicit Work(std::vector<SideItem> picked)
      : items(std::move(picked)),
        head(items.front().head),
        has_suspects(head.stage != delivery::Parcel::SearchStage::kFresh) {
    for (const SideItem& item : items)
      head.received_ms = std::min(head.received_ms, item.head.received_ms);
  }

  std::vector<SideItem> items;  // picked, not yet done
  SideHead head;                // what they have in common
  bool has_suspects = false;    // among them, or made of them
  // Of entries of records: the one under way.
  std::optional<SideEntry> entry;
  std::uint64_t entry_items = 0;  // not yet packed
  SidePlace entry_opened;         // where it was begun, and
  SidePlace entry_place;          // where packing goes on
  std::vector<SideItem> packed;   // entries that end in the piece
  // The piece in hand and what became of it.
  std::uint64_t piece_items = 0;
  std::uint64_t damaged = 0;
  std::uint64_t dropped = 0;
  std::size_t units = 0;
  std::set<std::pair<std::uint32_t, std::uint32_t>> dropped_items;
  std::optional<delivery::Parcel> left, suspects;
  std::optional<delivery::Parcel> too_new;  // ahead of the destination's clock
  bool has_taken = false;
  bool is_slow = false;       // told to wait
  Duration asked_wait{0};     // by whoever said so
  bool is_stalled = false;    // the front of items could not be read or packed now
  std::size_t timed_out = 0;  // least weight of a request that did; 0: none
  bool is_closed = false;

  /// Whether the piece goes on with an entry of which an earlier one is done.
  bool is_continued() const {
    if (!packed.empty()) return packed.front().place.has_value();
    return !items.empty() && items.front().place.has_value();
  }
  /// The record under way, or what is left of it, has become part of the piece.
  void pass_record() {
    entry->records.erase(entry->records.begin());
    ++entry_place.records;
    entry_place.from = entry->records.empty() ? delivery::Place{} : entry->records.front().from;
  }
  /// The piece is done: the entry under way goes on where packing has come to.
  void note_place() {
    if (!entry || items.empty() || entry_place == entry_opened) return;
    items.front().place = entry_place;
    items.front().head.items = entry_items;
  }
  /// Whether anything is otherwise than before the piece was sent.
  bool has_changed() const {
    std::size_t units_left = 0;
    for (const std::optional<delivery::Parcel>* part : {&left, &suspects, &too_new})
      if (*part) units_left += (*part)->units.size();
    return has_taken || dropped > 0 || damaged > 0 || units_left != units ||
           (suspects && head.stage == delivery::Parcel::SearchStage::kFresh) ||
           (too_new && (left || head.holds_records || packed.size() > 1));
  }
  void begin_piece() {
    piece_items = damaged = dropped = 0;
    units = 0;
    dropped_items.clear();
    left.reset();
    suspects.reset();
    too_new.reset();
    has_taken = is_slow = false;
    asked_wait = Duration::zero();
    timed_out = 0;
  }
};

class SideLane::Worker final : private delivery::DeliveryObserver {
 public:
  Worker(SideLane& lane, bool is_for_hanging);

  void start() {
    thread_ = std::thread([this] { run(); });
  }
  void stop(TimePoint deadline) {
    delivery_.set_stop_deadline(deadline);
    delivery_.wake();
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run();
  bool take_turn();
  void work_off(std::vector<Work>& works);
  delivery::Parcel next_piece(Work& work);
  Result<delivery::Packed> pack_record(SideRecord& record, std::uint32_t& index,
                                       delivery::Parcel& piece, bool& is_fault_of_ours);
  void pack_records(Work& work, delivery::Parcel& piece);
  bool open_entry(Work& work);
  bool is_lost(Work& work, const SideItem& item, const Error& error);
  void drop_damaged(Work& work, std::uint64_t items, std::string_view message,
                    const std::string& why);
  void settle(Work& work);
  bool keep(Work& work);
  void book(const Work& work);
  void give_back(Work& work, Duration wait);
  void shorten(Work& work);
  static Duration too_new_wait(const Work& work, TimePoint now);
  void close(Work& work);
  Work& work_of(const delivery::Parcel& parcel);

  void on_refused(const delivery::Parcel& parcel, std::size_t unit,
                  const std::string& why) override;
  void on_rejected(const delivery::Parcel& parcel, std::size_t first, std::size_t last,
                   std::uint64_t count, const std::string& why) override;
  void on_set_aside(const delivery::Parcel& parcel, std::size_t first, std::size_t last,
                    delivery::Aside aside, const std::string& why) override;
  void on_answer(const delivery::Parcel& parcel, std::size_t first, std::size_t last,
                 const delivery::Answer& answer, Duration took) override;
  std::optional<delivery::Parcel> split(const delivery::Parcel& parcel, std::size_t unit) override {
    return parts_.packer.split(parcel, unit);
  }
  std::string_view kind_of(const delivery::Parcel& parcel, std::size_t unit) override {
    return parts_.packer.kind_of(parcel.run(unit, unit + 1));
  }
  bool may_be_refused(const CustomerId& customer) override {
    return parts_.owner.may_be_refused(customer);
  }
  bool go_on() override { return !lane_.is_stopping_; }

  SideLane& lane_;
  const SideLaneParts& parts_;
  const bool is_for_hanging_;
  delivery::ParcelDelivery delivery_;
  std::vector<Work>* works_ = nullptr;  // of the turn in hand
  std::thread thread_;
};

}  // namespace vigia::collector::side
