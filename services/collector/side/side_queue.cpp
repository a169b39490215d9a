#include "services/collector/side/side_queue.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"

namespace vigia::collector::side {
namespace {

constexpr std::string_view kSuffix = ".side";
constexpr std::string_view kFreshSuffix = ".new";
constexpr std::string_view kDamagedSuffix = ".damaged";
constexpr int kHexBase = 16;
// Of a file that is read: more than any entry is written with, so that a damaged one asks for no
// more.
constexpr std::size_t kEntryBytesMax = 256U << 20U;

/// Nothing for the name of another file.
std::optional<std::uint64_t> number_of(std::string_view name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  std::uint64_t number = 0;
  const auto [end, fault] =
      std::from_chars(name.data(), name.data() + name.size(), number, kHexBase);
  if (fault != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

/// The first `count` bytes, or all where there are fewer: room for what is there, not for the most
/// that may be.
Result<std::string> read(disk_log::FileSystem& files, const std::string& path, std::size_t count) {
  auto file = files.open_to_read(path);
  if (!file) return forward(file);
  const auto size = (*file)->size();
  if (!size) return forward(size);
  std::string bytes;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, *size));
  if (auto got = (*file)->read_at(0, wanted, bytes); !got) return forward(got);
  return bytes;
}

}  // namespace

bool is_side_entry(std::string_view name) { return number_of(name).has_value(); }

Result<SideHead> read_side_head(disk_log::FileSystem& files, const std::string& path) {
  const auto bytes = read(files, path, kSideHeadBytesMax);
  if (!bytes) return forward(bytes);
  return decode_side_head(*bytes);
}

SideQueue::SideQueue(SideQueueSettings settings, const Clock& clock, OnEvicted on_evicted,
                     disk_log::FileSystem& files)
    : settings_(std::move(settings)),
      clock_(clock),
      on_evicted_(std::move(on_evicted)),
      files_(files),
      reserve_({settings_.directory, settings_.reserve_bytes, settings_.free_bytes}, clock, files),
      marks_(settings_.directory, files) {}

Result<std::unique_ptr<SideQueue>> SideQueue::open(SideQueueSettings settings, const Clock& clock,
                                                   OnFound on_found, OnEvicted on_evicted,
                                                   disk_log::FileSystem& files) {
  auto queue =
      std::make_unique<SideQueue>(std::move(settings), clock, std::move(on_evicted), files);
  if (auto recovered = queue->recover(on_found); !recovered) return forward(recovered);
  return queue;
}

Result<void> SideQueue::recover(const OnFound& on_found) {
  auto names = files_.list(settings_.directory);
  if (!names && names.error().code == ErrorCode::kNotFound) return {};
  if (!names) return forward(names);
  has_folder_ = true;
  for (const std::string& name : *names) {
    const std::string path = settings_.directory + "/" + name;
    if (name.ends_with(kFreshSuffix)) {
      (void)files_.remove(path);  // was not durable: what is in it is still in the log
      continue;
    }
    const auto number = number_of(name);
    if (!number) continue;
    // Of damaged ones too: a new entry must not take the name of a file that is kept for a person.
    last_number_ = std::max(last_number_, *number);
    const auto head = read_side_head(files_, path);
    // What may pass ends the start: left out now, the entry would lie until the next one, and
    // nobody would know.
    if (!head && head.error().code != ErrorCode::kCorrupt)
      return tl::unexpected<Error>(with_context(path, head.error()));
    if (head) {
      enter(*number, *head);
      on_found(*head);
      continue;
    }
    ++damaged_;
    service::log_error("an entry of the side queue cannot be read; its file is kept",
                       {{"file", path}, {"why", head.error().message}});
    if (settings_.on_damaged) settings_.on_damaged();
    (void)files_.rename(path, path + std::string(kDamagedSuffix));
  }
  // Why they are kept is not known to this run: what refusals cost is counted anew. Who is over a
  // bound for another reason, as that it is lower now, is not kept for it.
  for (const std::string& id : marks_.find(*names)) {
    const auto customer = customers_.find(id);
    if (customer != customers_.end() && settings_.keeps_all_of) customer->second.is_kept = true;
    are_marks_stale_ = true;
  }
  settle_marks();
  publish();
  return {};
}

std::string SideQueue::path_of(std::uint64_t number) const {
  return fmt::format("{}/{:016x}{}", settings_.directory, number, kSuffix);
}

/// Whoever is at its share now and loses nothing for room. Where all together are at the bound
/// somebody is at an equal part.
void SideQueue::publish() {
  if (!settings_.is_required && !settings_.keeps_all_of) return;
  std::uint64_t room = 0;
  for (const auto& [id, customer] : customers_) room += customer.room();
  // Of a small disk a quarter of what is aside and free: who is at that leaves the others the rest.
  constexpr std::uint64_t kDiskParts = 4;
  std::uint64_t share = settings_.customer_bytes_max;
  // Each divided by itself: a disk that cannot be asked has UINT64_MAX free, and the sum would
  // wrap.
  if (settings_.free_bytes)
    share = std::min(share, bytes_ / kDiskParts + settings_.free_bytes() / kDiskParts);
  if (room >= settings_.bytes_max)
    share = std::min(share, settings_.bytes_max / std::max<std::size_t>(1, customers_.size()));
  std::map<CustomerId, SideHold> held;
  for (const auto& [id, customer] : customers_) {
    if (keeps(customer) && customer.room() >= share)
      held.emplace(customer.entries.begin()->second.item.head.customer,
                   SideHold{customer.room(), share});
  }
  // Called with each change of the queue; intake looks at what is published with each request.
  if (held.empty() && held_.empty()) return;
  held_ = std::move(held);
  if (settings_.shares != nullptr) settings_.shares->publish(settings_.exporter, held_);
}

/// Under its name only once it is whole and synced. What fails leaves no file under way: on a full
/// disk each further try would.
Result<void> SideQueue::write_unsynced(std::uint64_t number, const SideBytes& bytes) {
  if (!has_folder_) {
    if (auto made = files_.create_directory(settings_.directory); !made) return made;
    has_folder_ = true;
  }
  const std::string path = path_of(number);
  const std::string fresh = path + std::string(kFreshSuffix);
  const auto written = [&]() -> Result<void> {
    auto file = files_.create(fresh);
    if (!file) return forward(file);
    if (auto appended = (*file)->append(bytes.parts); !appended) return appended;
    if (auto synced = (*file)->sync(); !synced) return synced;
    return files_.rename(fresh, path);
  }();
  if (!written) (void)files_.remove(fresh);
  return written;
}

Result<void> SideQueue::write(std::uint64_t number, const SideBytes& bytes) {
  if (auto named = write_unsynced(number, bytes); !named) return named;
  return files_.sync_directory(settings_.directory);
}

SideItem& SideQueue::enter(std::uint64_t number, const SideHead& head) {
  Customer& customer = customers_[head.customer.text()];
  if (!customer.is_kept && (kept_coming_.contains(head.customer.text()) ||
                            (settings_.keeps_all_of && settings_.keeps_all_of(head.customer))))
    customer.is_kept = are_marks_stale_ = true;
  const TimePoint now = clock_.steady();
  const auto [entry, is_new] = customer.entries.try_emplace(
      number, Waiting{{.number = number, .head = head, .since = now}, false});
  if (is_new) count(customer, head, true);
  return entry->second.item;
}

void SideQueue::count(Customer& customer, const SideHead& head, bool is_coming) {
  const std::uint64_t bytes = is_coming ? head.content_bytes : 0 - head.content_bytes;
  customer.bytes += bytes;
  customer.items += is_coming ? head.items : 0 - head.items;
  bytes_ += bytes;
  if (!head.holds_records) customer.unit_bytes += bytes;
}

void SideQueue::leave(const SideItem& item) {
  const auto customer = customers_.find(item.head.customer.text());
  if (customer == customers_.end()) return;
  const auto found = customer->second.entries.find(item.number);
  if (found == customer->second.entries.end()) return;
  count(customer->second, found->second.item.head, false);
  customer->second.entries.erase(found);
  if (!customer->second.entries.empty()) return;
  are_marks_stale_ = are_marks_stale_ || customer->second.is_kept;
  customers_.erase(customer);
}

Result<void> SideQueue::put(SideEntry entry, Duration wait, std::optional<TimePoint> since) {
  std::vector<SidePut> one;
  one.push_back({std::move(entry), wait, since});
  return put_all(one);
}

Result<void> SideQueue::put_all(std::vector<SidePut>& puts, bool uses_reserve) {
  std::uint64_t first = 0;
  std::vector<std::string> kept;
  {
    const std::lock_guard lock(mutex_);
    // Numbers are taken under the lock and files written without it: a slow disk must not stop
    // those who only look.
    first = last_number_ + 1;
    last_number_ += puts.size();
    for (const SidePut& one : puts) {
      const CustomerId& customer = one.entry.head.customer;
      if (settings_.keeps_all_of && settings_.keeps_all_of(customer))
        kept.push_back(customer.text());
    }
    kept_coming_.insert(kept.begin(), kept.end());
    are_marks_stale_ = are_marks_stale_ || !kept.empty();
  }
  // Before the entries: from when they are there, a run that does not know it may let them go.
  settle_marks();
  auto written = write_all(first, puts, uses_reserve);
  std::vector<SideItem> evicted;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; written && i < puts.size(); ++i) {
      SideItem& item = enter(first + i, puts[i].entry.head);
      item.not_before = item.since + puts[i].wait;
      if (puts[i].since) item.since = *puts[i].since;
      // A required destination loses nothing for room: intake refuses instead (publish).
      if (settings_.is_required) continue;
      for (SideItem& gone : choose_evicted(puts[i].entry.head.customer))
        evicted.push_back(std::move(gone));
    }
    for (const std::string& customer : kept) kept_coming_.erase(kept_coming_.find(customer));
    are_marks_stale_ = are_marks_stale_ || (!written && !kept.empty());
    if (written) publish();
  }
  settle_marks();
  let_go(evicted);
  return written;
}

/// All of them, the first under that number, or none: where one fails, the same data comes again,
/// as other entries.
Result<void> SideQueue::write_all(std::uint64_t first, std::vector<SidePut>& puts,
                                  bool uses_reserve) {
  Result<void> written = fail(ErrorCode::kInternal, "a fault of this program, see its log");
  contain_faults("what is set aside", [&] {
    for (std::size_t i = 0; i < puts.size(); ++i) {
      const SideBytes bytes = encode_side_entry(puts[i].entry);
      written = write(first + i, bytes);
      while (!written && uses_reserve && written.error().code == ErrorCode::kUnavailable &&
             reserve_.give(size_of(bytes) + kEntryRoom))
        written = write(first + i, bytes);
      if (!written) return;
    }
  });
  if (!written) {
    // A kill before this leaves some of them: they come again with the rest, and so twice.
    for (std::size_t i = 0; i < puts.size(); ++i) (void)files_.remove(path_of(first + i));
  }
  return written;
}

/// What is lost is told before its last trace goes: a kill in between, or a mark over it, would
/// show it as whole.
void SideQueue::let_go(const std::vector<SideItem>& evicted) {
  if (evicted.empty()) return;
  for (const SideItem& item : evicted) on_evicted_(item.head);
  for (const SideItem& item : evicted) (void)files_.remove(path_of(item.number));
  const std::lock_guard lock(mutex_);
  for (const SideItem& item : evicted) {
    leaving_bytes_ -= item.head.content_bytes;
    const auto customer = customers_.find(item.head.customer.text());
    if (customer == customers_.end()) continue;
    --customer->second.leaving_entries;
    customer->second.leaving_bytes -= item.head.content_bytes;
    leave(item);
  }
  publish();
}

/// Without the queue's lock while files are written, as entries are.
void SideQueue::settle_marks() {
  const bool are_settled = marks_.settle([this]() -> std::optional<KeptMarks::Names> {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(are_marks_stale_, false)) return std::nullopt;
    KeptMarks::Names names(kept_coming_.begin(), kept_coming_.end());
    for (const auto& [id, customer] : customers_)
      if (customer.is_kept) names.insert(id);
    return names;
  });
  if (are_settled) return;
  const std::lock_guard lock(mutex_);
  are_marks_stale_ = true;
}

bool SideQueue::is_over(const Customer& customer) const {
  return customer.bytes - customer.leaving_bytes > settings_.customer_bytes_max ||
         customer.entries.size() - customer.leaving_entries > settings_.customer_entries_max;
}

/// What is kept takes no room from the others: who has it is refused at intake.
std::uint64_t SideQueue::evictable_bytes() const {
  std::uint64_t bytes = bytes_ - leaving_bytes_;
  for (const auto& [id, customer] : customers_)
    bytes -= customer.is_kept ? customer.bytes - customer.leaving_bytes : 0;
  return bytes;
}

/// What goes to keep the bounds: the customer's own oldest, or where the whole is too much the
/// oldest of whoever holds most. The newest entry of each stays.
std::vector<SideItem> SideQueue::choose_evicted(const CustomerId& customer) {
  const auto oldest_of = [](Customer& one) {
    auto& entries = one.entries;
    if (one.is_kept) return static_cast<Waiting*>(nullptr);
    const auto oldest = std::find_if(entries.begin(), entries.end(),
                                     [](const auto& entry) { return !entry.second.is_picked; });
    const bool is_newest = oldest == entries.end() || std::next(oldest) == entries.end();
    return is_newest ? nullptr : &oldest->second;
  };
  std::vector<SideItem> evicted;
  for (;;) {
    const auto own = customers_.find(customer.text());
    Waiting* oldest =
        own != customers_.end() && is_over(own->second) ? oldest_of(own->second) : nullptr;
    if (oldest == nullptr && evictable_bytes() <= settings_.bytes_max) return evicted;
    std::uint64_t most = 0;
    for (auto& [id, one] : customers_) {
      if (oldest != nullptr && most == 0) break;  // the customer's own
      const std::uint64_t bytes = one.bytes - one.leaving_bytes;
      Waiting* candidate = bytes > most ? oldest_of(one) : nullptr;
      if (candidate == nullptr) continue;
      most = bytes;
      oldest = candidate;
    }
    if (oldest == nullptr) return evicted;
    // Nobody takes it while its loss is told, and it is counted as leaving, so that the next look
    // does not choose more than must go.
    oldest->is_picked = true;
    evicted.push_back(oldest->item);
    Customer& owner = customers_.find(oldest->item.head.customer.text())->second;
    ++owner.leaving_entries;
    owner.leaving_bytes += oldest->item.head.content_bytes;
    leaving_bytes_ += oldest->item.head.content_bytes;
  }
}

Result<SideEntry> SideQueue::load(const SideItem& item) const {
  auto bytes = read(files_, path_of(item.number), kEntryBytesMax);
  if (!bytes) return forward(bytes);
  auto entry = decode_side_entry(*std::move(bytes));
  if (!entry || !item.place) return entry;
  auto& records = entry->records;
  if (item.place->records >= records.size())
    return fail(ErrorCode::kCorrupt, "an entry ends before the place at which it goes on");
  records.erase(records.begin(),
                records.begin() + static_cast<std::ptrdiff_t>(item.place->records));
  records.front().from = item.place->from;
  entry->head.items = item.head.items;
  return entry;
}

void SideQueue::quarantine(const SideItem& item) {
  const std::string path = path_of(item.number);
  (void)files_.rename(path, path + std::string(kDamagedSuffix));
  {
    const std::lock_guard lock(mutex_);
    ++damaged_;
    leave(item);
    publish();
  }
  settle_marks();
}

void SideQueue::remove(const std::vector<SideItem>& items) {
  for (const SideItem& item : items) {
    const auto removed = files_.remove(path_of(item.number));
    if (!removed)
      service::log_warn("an entry of the side queue stays, and is sent again after a restart",
                        {{"why", removed.error().message}});
  }
  {
    const std::lock_guard lock(mutex_);
    for (const SideItem& item : items) leave(item);
    publish();
  }
  settle_marks();
}

Result<void> SideQueue::merge(const std::vector<SideItem>& items, SideEntry merged) {
  SideItem first = items.front();
  if (auto replaced = replace(first, std::move(merged)); !replaced) {
    release(items);
    return replaced;
  }
  // A kill before the others' files are gone: their content comes twice.
  remove({items.begin() + 1, items.end()});
  const std::lock_guard lock(mutex_);
  const auto customer = customers_.find(first.head.customer.text());
  if (customer == customers_.end()) return {};
  const auto found = customer->second.entries.find(first.number);
  if (found == customer->second.entries.end()) return {};
  Waiting& waiting = found->second;
  waiting.is_picked = false;
  for (const SideItem& item : items) {
    waiting.item.since = std::max(waiting.item.since, item.since);
    waiting.item.not_before = std::min(waiting.item.not_before, item.not_before);
  }
  return {};
}

void SideQueue::keep_room() {
  reserve_.keep();
  settle_marks();
  const std::lock_guard lock(mutex_);
  publish();
}

Result<void> SideQueue::replace(SideItem& item, SideEntry left) {
  const SideBytes bytes = encode_side_entry(left);
  if (auto named = write_unsynced(item.number, bytes); !named) return named;
  note_replaced(item, left.head);
  // Under its name it is what is read from now on. Where this fails a power cut may bring back what
  // was there, which then comes twice.
  return files_.sync_directory(settings_.directory);
}

void SideQueue::note_replaced(SideItem& item, const SideHead& left) {
  const std::lock_guard lock(mutex_);
  const auto customer = customers_.find(item.head.customer.text());
  item.head = left;
  item.place.reset();
  if (customer == customers_.end()) return;
  const auto found = customer->second.entries.find(item.number);
  if (found == customer->second.entries.end()) return;
  SideHead& head = found->second.item.head;
  count(customer->second, head, false);
  count(customer->second, left, true);
  head = left;
  found->second.item.place.reset();
  publish();
}

void SideQueue::shorten(SideItem& item) {
  auto rest = load(item);
  const auto written =
      rest ? replace(item, *std::move(rest)) : Result<void>(tl::unexpected<Error>(rest.error()));
  if (written) return;
  service::log_warn("the rest of an entry of the side queue cannot be written now",
                    {{"customer_id", item.head.customer.text()}, {"why", written.error().message}});
  if (!item.place) return;  // it has its name, and is not synced
  const std::lock_guard lock(mutex_);
  const auto customer = customers_.find(item.head.customer.text());
  if (customer == customers_.end()) return;
  const auto found = customer->second.entries.find(item.number);
  if (found == customer->second.entries.end()) return;
  SideHead& head = found->second.item.head;
  customer->second.items -= head.items - item.head.items;
  head.items = item.head.items;
  found->second.item.place = item.place;
}

void SideQueue::write_rests() {
  std::vector<SideItem> items;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, customer] : customers_) {
      for (auto& [number, waiting] : customer.entries) {
        if (waiting.is_picked || !waiting.item.place) continue;
        waiting.is_picked = true;
        items.push_back(waiting.item);
      }
    }
  }
  for (SideItem& item : items) shorten(item);
  release(items);
}

}  // namespace vigia::collector::side
