#include "services/storage/rolling/rollup_book.hpp"

#include <algorithm>

#include "libs/base/bytes.hpp"
#include "libs/base/check.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::rolling {
namespace {

constexpr std::uint8_t kNoteVersion = 3;
constexpr std::uint8_t kOfAll = 2;          // without own days, as where nobody has any
constexpr std::uint8_t kWithoutDamage = 1;  // an earlier version

std::size_t place_of(Resolution resolution) {
  const auto at = std::find(kRolledUp.begin(), kRolledUp.end(), resolution);
  CHECK(at != kRolledUp.end());
  return static_cast<std::size_t>(at - kRolledUp.begin());
}

void append_made_from(std::string& bytes, const MadeFrom& made_from) {
  for (const auto& day : made_from) {
    bytes.push_back(day.has_value() ? '\1' : '\0');
    append_u32(bytes, day.value_or(0));
  }
}

MadeFrom read_made_from(ByteReader& reader) {
  MadeFrom made_from;
  for (auto& day : made_from) {
    const bool is_made = reader.read_u8() != 0;
    const std::uint32_t from = reader.read_u32();
    if (is_made) day = from;
  }
  return made_from;
}

// The provider's name is no customer's that could be read anywhere else.
Result<CustomerId> read_customer(std::string_view text) {
  if (text == CustomerId::provider().text()) return CustomerId::provider();
  return CustomerId::parse(text);
}

bool read_own(ByteReader& reader, RollupNote& note) {
  const std::uint64_t count = reader.read_varint();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    const auto customer = read_customer(reader.read_bytes(reader.read_varint()));
    if (!customer) return false;
    OwnDays& days = note.own[*customer];
    days.raw_gone_day = reader.read_u32();
    days.made_from = read_made_from(reader);
  }
  return reader.ok();
}

// Who has nothing of his own any more goes by what is so of all.
void forget_equal(RollupNote& note) {
  const OwnDays all{note.raw_gone_day, note.made_from};
  std::erase_if(note.own, [&](const auto& entry) { return entry.second == all; });
}

RollupNote merged(const RollupNote& known, RollupNote stored) {
  const RollupNote as_stored = stored;
  for (const auto& [customer, days] : known.own) {
    stored.own.try_emplace(customer, as_stored.days_of(customer));
  }
  for (auto& [customer, days] : stored.own) {
    days.raw_gone_day = std::max(days.raw_gone_day, known.days_of(customer).raw_gone_day);
  }
  stored.raw_gone_day = std::max(stored.raw_gone_day, known.raw_gone_day);
  forget_equal(stored);
  return stored;
}

}  // namespace

OwnDays RollupNote::days_of(const CustomerId& customer) const {
  const auto found = own.find(customer);
  return found == own.end() ? OwnDays{raw_gone_day, made_from} : found->second;
}

RollupNote RollupNote::of(const CustomerId& customer) const {
  const OwnDays days = days_of(customer);
  return {days.raw_gone_day, is_marked, damage, days.made_from, {}};
}

std::optional<std::uint32_t> RollupNote::made_from_day(Resolution resolution) const {
  return made_from.at(place_of(resolution));
}

std::string write_note(const RollupNote& note) {
  std::string bytes(1, static_cast<char>(note.own.empty() ? kOfAll : kNoteVersion));
  append_u32(bytes, note.raw_gone_day);
  bytes.push_back(note.is_marked ? '\1' : '\0');
  append_made_from(bytes, note.made_from);
  append_u64(bytes, note.damage);
  if (note.own.empty()) return bytes;
  append_varint(bytes, note.own.size());
  for (const auto& [customer, days] : note.own) {
    append_varint(bytes, customer.text().size());
    bytes += customer.text();
    append_u32(bytes, days.raw_gone_day);
    append_made_from(bytes, days.made_from);
  }
  return bytes;
}

std::optional<RollupNote> read_note(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint8_t version = reader.read_u8();
  if (version < kWithoutDamage || version > kNoteVersion) return std::nullopt;
  RollupNote note;
  note.raw_gone_day = reader.read_u32();
  note.is_marked = reader.read_u8() != 0;
  note.made_from = read_made_from(reader);
  if (version != kWithoutDamage) note.damage = reader.read_u64();
  if (version == kNoteVersion && !read_own(reader, note)) return std::nullopt;
  if (!reader.ok() || !reader.rest().empty()) return std::nullopt;
  return note;
}

Result<std::unique_ptr<RollupBook>> RollupBook::open(store::DueDays& due_days,
                                                     const MadeResolutions& made) {
  auto book = std::make_unique<RollupBook>(Key{}, due_days, made);
  const auto bytes = due_days.note();
  if (!bytes) return forward(bytes);
  const auto kept = read_note(*bytes);
  if (!kept.has_value() && !bytes->empty()) {
    service::log_warn("what is known of roll-ups cannot be read: raw samples are marked anew");
  }
  RollupNote note = kept.value_or(RollupNote());
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (!made.at(i)) {
      note.made_from.at(i).reset();
      for (auto& [customer, days] : note.own) days.made_from.at(i).reset();
    }
    if (made.at(i) && !note.made_from.at(i).has_value()) note.is_marked = false;
  }
  forget_equal(note);
  if (write_note(note) == *bytes) {  // a start writes nothing where nothing is new
    book->note_ = note;
    return book;
  }
  if (auto changed = book->change(note); !changed) return forward(changed);
  return book;
}

RollupNote RollupBook::note() const {
  const std::lock_guard lock(mutex_);
  return note_;
}

RollupNote RollupBook::note(const CustomerId& customer) const {
  const std::lock_guard lock(mutex_);
  return note_.of(customer);
}

Result<void> RollupBook::refresh() {
  const std::lock_guard lock(change_mutex_);
  return refresh_alone();
}

Result<void> RollupBook::refresh_alone() {
  const auto bytes = due_days_.note();
  if (!bytes) return forward(bytes);
  auto stored = read_note(*bytes);
  if (!stored.has_value()) return {};
  for (std::size_t i = 0; i < made_.size(); ++i) {  // what is not made here is not read here
    if (made_.at(i)) continue;
    stored->made_from.at(i).reset();
    for (auto& [customer, days] : stored->own) days.made_from.at(i).reset();
  }
  const std::lock_guard lock(mutex_);
  note_ = merged(note_, *std::move(stored));
  return {};
}

// On disk before anybody goes by it.
Result<void> RollupBook::change(const RollupNote& note) {
  if (auto written = due_days_.set_note(write_note(note)); !written) return written;
  const std::lock_guard lock(mutex_);
  note_ = note;
  return {};
}

Result<void> RollupBook::set_raw_gone(std::uint32_t day, const CustomerDays& own) {
  const std::lock_guard lock(change_mutex_);
  if (auto read = refresh_alone(); !read) return read;
  const RollupNote known = note();
  RollupNote changed = known;
  for (const auto& [customer, own_day] : own) {
    changed.own[customer] = known.days_of(customer);
    changed.own[customer].raw_gone_day = std::max(known.days_of(customer).raw_gone_day, own_day);
  }
  for (auto& [customer, days] : changed.own) {  // who was named before and is no more
    if (!own.contains(customer)) days.raw_gone_day = std::max(days.raw_gone_day, day);
  }
  changed.raw_gone_day = std::max(known.raw_gone_day, day);
  forget_equal(changed);
  return write_note(changed) == write_note(known) ? Result<void>() : change(changed);
}

Result<void> RollupBook::set_marked(std::uint32_t made_from_day, const CustomerDays& own) {
  const std::lock_guard lock(change_mutex_);
  if (auto read = refresh_alone(); !read) return read;
  RollupNote changed = note();
  for (const auto& [customer, own_day] : own) {
    OwnDays days = changed.days_of(customer);
    for (std::size_t i = 0; i < made_.size(); ++i) {
      if (made_.at(i) && !days.made_from.at(i)) days.made_from.at(i) = own_day;
    }
    changed.own[customer] = days;
  }
  const auto make = [&](MadeFrom& made_from) {
    for (std::size_t i = 0; i < made_.size(); ++i) {
      if (made_.at(i) && !made_from.at(i)) made_from.at(i) = made_from_day;
    }
  };
  make(changed.made_from);
  for (auto& [customer, days] : changed.own) make(days.made_from);
  changed.is_marked = true;
  forget_equal(changed);
  return change(changed);
}

Result<void> RollupBook::forget_marks() {
  const std::lock_guard lock(change_mutex_);
  if (auto read = refresh_alone(); !read) return read;
  RollupNote changed = note();
  if (!changed.is_marked) return {};
  changed.is_marked = false;
  return change(changed);
}

Result<void> RollupBook::forget_marks(std::uint64_t damage) {
  const std::lock_guard lock(change_mutex_);
  if (auto read = refresh_alone(); !read) return read;
  RollupNote changed = note();
  changed.is_marked = false;
  changed.damage = damage;
  return change(changed);
}

}  // namespace vigia::storage::rolling
