// What a destination does not take now of some customers, on disk, apart from the log, so that the
// log's cursor can go on. One file an entry: docs/formats/side-queue.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/disk_log/file_system.hpp"
#include "services/collector/side/kept_marks.hpp"
#include "services/collector/side/side_entry.hpp"
#include "services/collector/side/side_reserve.hpp"
#include "services/collector/side/side_shares.hpp"

namespace vigia::collector::side {

struct SideQueueSettings {
  std::string directory;
  std::uint64_t bytes_max = 1ULL << 30U;  ///< all entries together
  std::uint64_t customer_bytes_max = 256ULL << 20U;
  std::size_t customer_entries_max = 10'000;  ///< where not required
  /// Nothing is let go for room. Intake takes no more of who is at its share, customer_bytes_max,
  /// or where all together are at bytes_max at an equal part of that; an entry counts kEntryRoom
  /// more than its content. So a customer has here at most its share and, as the disk log packs it,
  /// what that held of it when it came to that, which is half of the log at most, its
  /// customer_share (1/4) where others wait too: 256 MiB + 1/2 of the log, as records. Records
  /// become what they are sent as, hundreds of times as much, a piece of the side lane (2 MiB) at a
  /// time and only while what has become so has less than half of the share (has_room_for_units).
  /// All customers: twice bytes_max + the log.
  bool is_required = false;
  /// Whose data is not let go for room either: as if required, for as long as anything of it waits
  /// here, in later runs too (KeptMarks). Asked under the queue's lock.
  std::function<bool(const CustomerId&)> keeps_all_of = {};
  std::string exporter = "";        ///< as the shares know it
  SideShares* shares = nullptr;     ///< told of who is at its share and loses nothing
  std::uint64_t reserve_bytes = 0;  ///< kept of the disk for put_all
  /// Of the disk that the folder lies on: a customer's share is a quarter of these and of what is
  /// aside already, where that is less than customer_bytes_max.
  std::function<std::uint64_t()> free_bytes = {};
  /// Told, in open, of an entry whose head cannot be read, before the file loses its name: whose it
  /// was is not known, and a kill must not make it as if nothing had been there.
  std::function<void()> on_damaged = {};
};

/// Where an entry of records goes on.
struct SidePlace {
  std::size_t records = 0;    ///< of the file's, done
  delivery::Place from = {};  ///< in the next
  bool operator==(const SidePlace&) const = default;
};

/// Whether a file of that name is an entry.
bool is_side_entry(std::string_view name);
/// kCorrupt: damaged for good; kInvalid: of a later version. Anything else may pass.
Result<SideHead> read_side_head(disk_log::FileSystem& files, const std::string& path);

/// An entry that waits.
struct SideItem {
  std::uint64_t number = 0;
  SideHead head;
  /// Set while the file still holds what is done; `head.items` wait from here on.
  std::optional<SidePlace> place = std::nullopt;
  TimePoint since{};       ///< known to this process
  TimePoint not_before{};  ///< the next try
  int attempts = 0;
};

struct SideQueueStats {
  std::uint64_t entries = 0;
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
  std::int64_t oldest_received_ms = 0;  ///< 0: nothing waits
};

/// An entry that is to be put, tried after `wait` at the earliest. `since`: what is left of a
/// suspect keeps its age.
struct SidePut {
  SideEntry entry;
  Duration wait{0};
  std::optional<TimePoint> since = std::nullopt;
};

/// Thread contract: any thread. What is picked is the picker's until it is put back or removed.
class SideQueue {
 public:
  /// Told of each entry, or what is left of one that cannot be read, that is let go to keep the
  /// bounds: while its file is there and it is counted among what waits.
  using OnEvicted = std::function<void(const SideHead&)>;
  /// Told, in open, of each entry that waits.
  using OnFound = std::function<void(const SideHead&)>;

  /// Reads the heads of what is there; the folder is made at the first put. An entry that cannot
  /// be read is renamed to `….damaged` and counted.
  static Result<std::unique_ptr<SideQueue>> open(SideQueueSettings settings, const Clock& clock,
                                                 OnFound on_found, OnEvicted on_evicted,
                                                 disk_log::FileSystem& files);

  /// Empty; made by open.
  SideQueue(SideQueueSettings settings, const Clock& clock, OnEvicted on_evicted,
            disk_log::FileSystem& files);

  /// Durable when it returns without an error; then, where not required, the oldest of the
  /// customer's other entries are let go if its share or the whole is over its bound. Tried after
  /// `wait` at the earliest. `since`: what is left of a suspect keeps its age.
  Result<void> put(SideEntry entry, Duration wait = Duration::zero(),
                   std::optional<TimePoint> since = std::nullopt);
  /// All of them or none: what they hold would come again, beside those that are there.
  /// `uses_reserve`: what empties the log may have the room that is kept for it.
  Result<void> put_all(std::vector<SidePut>& puts, bool uses_reserve = false);
  /// Keeps that room, and the shares as the disk has room; to be called all the time.
  void keep_room();
  /// Nothing of the customer is tried before that.
  void delay(const CustomerId& customer, Duration wait);

  /// Entries to be tried now, the customers in turn: of each its oldest ones that may go together
  /// (same signal, stage and kind; suspects alone), `bytes_max` in all but at least one entry.
  /// `wants` chooses customers; it is asked under the queue's lock, so nobody may hold a lock of
  /// his that it takes while he calls the queue.
  std::vector<std::vector<SideItem>> pick(std::size_t customers_max, std::uint64_t bytes_max,
                                          const std::function<bool(const CustomerId&)>& wants);
  /// From its place on. kCorrupt, kNotFound: damaged for good. Anything else may pass (no
  /// descriptors, no right).
  Result<SideEntry> load(const SideItem& item) const;
  /// It cannot be read and never will be: its file is renamed to `….damaged`, for a person.
  void quarantine(const SideItem& item);
  /// They are done: their files go.
  void remove(const std::vector<SideItem>& items);
  /// They are tried again after `wait`. Of suspects each waits for itself, of others all of the
  /// customer.
  void put_back(const std::vector<SideItem>& items, Duration wait);
  /// As put_back, but each waits for itself whatever it is, and nothing else of the customer.
  void postpone(const std::vector<SideItem>& items, Duration wait);
  /// Small entries of the customer's suspects that may become one, picked; nothing where they are
  /// few. Suspects of one `age_span` go together, so that none is kept for longer than that for it.
  std::vector<SideItem> pick_mergeable(const CustomerId& customer, Signal signal,
                                       Duration age_span);
  /// Replaces picked entries by one that holds what they hold, to be tried when the first of them
  /// would be. Nothing has changed where it fails, but that they are no longer picked.
  Result<void> merge(const std::vector<SideItem>& items, SideEntry merged);
  /// They are as they were before they were picked.
  void release(const std::vector<SideItem>& items);
  /// Replaces a picked entry by what is left of it; it stays picked. Where the file has its name
  /// and only that is not synced, there is an error too, and `item` has no place any more.
  Result<void> replace(SideItem& item, SideEntry left);
  /// Makes a picked entry end what is before its place: by its file, or where that cannot be
  /// written now in memory, until write_rests; a kill before that brings it again. It stays picked.
  void shorten(SideItem& item);
  /// Tries anew to write what shorten could not, of all that is not picked.
  void write_rests();

  /// Whether the customer's further records of that signal should follow those that wait.
  bool holds_records(const CustomerId& customer, Signal signal) const;
  /// Whether anything of the customer and signal waits that is no suspect and has no later time of
  /// its own.
  bool holds_fresh(const CustomerId& customer, Signal signal) const;
  bool holds_any(const CustomerId& customer) const;
  /// Of a customer whose data is not let go for room: no more of it should come here than must.
  bool is_at_share(const CustomerId& customer) const;
  /// Entries of the customer that are suspects.
  std::size_t suspects(const CustomerId& customer) const;
  /// Of a customer whose data is not let go for room: whether some more of its records may become
  /// units. pick gives none of them otherwise.
  bool has_room_for_units(const CustomerId& customer) const;
  SideQueueStats stats() const;
  /// What each customer holds: as intake counts it, an entry's room included.
  std::map<CustomerId, std::uint64_t> room_by_customer() const;
  /// Items that wait here.
  std::map<std::string, std::uint64_t> items_by_customer() const;
  /// When the oldest was received of what each customer has waiting here, ms since 1970.
  std::map<CustomerId, std::int64_t> oldest_by_customer() const;
  std::uint64_t damaged() const;

  static constexpr std::uint64_t kEntryRoom = 4096;  ///< a file's block and what is known of it
  static constexpr std::size_t kMergeEntries = 16;   ///< so many small ones become one
  static constexpr std::uint64_t kMergedBytesMax = 1U << 20U;  ///< unpacked

 private:
  struct Waiting {
    SideItem item;
    bool is_picked = false;
  };
  struct Customer {
    std::map<std::uint64_t, Waiting> entries;  // by number
    std::uint64_t bytes = 0;
    std::uint64_t unit_bytes = 0;  // of these, encoded already
    std::uint64_t items = 0;
    TimePoint not_before{};
    std::uint64_t last_turn = 0;
    bool had_suspects = false;  // at its last turn
    bool is_kept = false;       // nothing of it is let go for room, required or not: marked
    // Of these, on their way out; picked, so that nobody else takes them.
    std::uint64_t leaving_entries = 0;
    std::uint64_t leaving_bytes = 0;

    std::uint64_t room() const { return bytes + entries.size() * kEntryRoom; }
  };
  using Customers = std::map<std::string, Customer, std::less<>>;

  Result<void> recover(const OnFound& on_found);
  std::string path_of(std::uint64_t number) const;
  Result<void> write(std::uint64_t number, const SideBytes& bytes);
  Result<void> write_all(std::uint64_t first, std::vector<SidePut>& puts, bool uses_reserve);
  Result<void> write_unsynced(std::uint64_t number, const SideBytes& bytes);
  void note_replaced(SideItem& item, const SideHead& left);
  SideItem& enter(std::uint64_t number, const SideHead& head);
  void count(Customer& customer, const SideHead& head, bool is_coming);
  void leave(const SideItem& item);
  void give_back(const SideItem& item, Duration wait, bool is_alone);
  std::vector<SideItem> choose_evicted(const CustomerId& customer);
  void let_go(const std::vector<SideItem>& evicted);
  bool keeps(const Customer& customer) const { return settings_.is_required || customer.is_kept; }
  void settle_marks();
  bool is_over(const Customer& customer) const;
  std::uint64_t evictable_bytes() const;
  bool takes_units(const Customer& customer) const;
  void publish();
  std::vector<SideItem> take_of(Customer& customer, std::uint64_t& bytes_left);

  const SideQueueSettings settings_;
  const Clock& clock_;
  const OnEvicted on_evicted_;
  disk_log::FileSystem& files_;
  SideReserve reserve_;
  KeptMarks marks_;
  mutable std::mutex mutex_;
  Customers customers_;
  std::uint64_t bytes_ = 0;
  std::uint64_t leaving_bytes_ = 0;
  std::uint64_t last_number_ = 0;
  std::uint64_t turn_ = 0;
  std::uint64_t damaged_ = 0;
  bool has_folder_ = false;
  bool are_marks_stale_ = false;
  std::multiset<std::string, std::less<>> kept_coming_;  // whose entries to keep are being written
  std::map<CustomerId, SideHold> held_;                  // as published
};

}  // namespace vigia::collector::side
