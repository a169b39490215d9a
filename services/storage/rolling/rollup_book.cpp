#include "services/storage/rolling/rollup_book.hpp"

#include <algorithm>

#include "libs/base/bytes.hpp"
#include "libs/base/check.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::rolling {
namespace {

constexpr std::uint8_t kNoteVersion = 2;
constexpr std::uint8_t kWithoutDamage = 1;  // an earlier version

std::size_t place_of(Resolution resolution) {
  const auto at = std::find(kRolledUp.begin(), kRolledUp.end(), resolution);
  CHECK(at != kRolledUp.end());
  return static_cast<std::size_t>(at - kRolledUp.begin());
}

}  // namespace

std::optional<std::uint32_t> RollupNote::made_from_day(Resolution resolution) const {
  return made_from.at(place_of(resolution));
}

std::string write_note(const RollupNote& note) {
  std::string bytes(1, static_cast<char>(kNoteVersion));
  append_u32(bytes, note.raw_gone_day);
  bytes.push_back(note.is_marked ? '\1' : '\0');
  for (const auto& day : note.made_from) {
    bytes.push_back(day.has_value() ? '\1' : '\0');
    append_u32(bytes, day.value_or(0));
  }
  append_u64(bytes, note.damage);
  return bytes;
}

std::optional<RollupNote> read_note(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint8_t version = reader.read_u8();
  if (version != kNoteVersion && version != kWithoutDamage) return std::nullopt;
  RollupNote note;
  note.raw_gone_day = reader.read_u32();
  note.is_marked = reader.read_u8() != 0;
  for (auto& day : note.made_from) {
    const bool is_made = reader.read_u8() != 0;
    const std::uint32_t from = reader.read_u32();
    if (is_made) day = from;
  }
  if (version != kWithoutDamage) note.damage = reader.read_u64();
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
    if (!made.at(i)) note.made_from.at(i).reset();
    if (made.at(i) && !note.made_from.at(i).has_value()) note.is_marked = false;
  }
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

// On disk before anybody goes by it.
Result<void> RollupBook::change(const RollupNote& note) {
  if (auto written = due_days_.set_note(write_note(note)); !written) return written;
  const std::lock_guard lock(mutex_);
  note_ = note;
  return {};
}

Result<void> RollupBook::set_raw_gone(std::uint32_t day) {
  const std::lock_guard lock(change_mutex_);
  RollupNote changed = note();
  if (day <= changed.raw_gone_day) return {};
  changed.raw_gone_day = day;
  return change(changed);
}

Result<void> RollupBook::set_marked(std::uint32_t made_from_day) {
  const std::lock_guard lock(change_mutex_);
  RollupNote changed = note();
  changed.is_marked = true;
  for (std::size_t i = 0; i < made_.size(); ++i) {
    if (made_.at(i) && !changed.made_from.at(i)) changed.made_from.at(i) = made_from_day;
  }
  return change(changed);
}

Result<void> RollupBook::forget_marks() {
  const std::lock_guard lock(change_mutex_);
  RollupNote changed = note();
  if (!changed.is_marked) return {};
  changed.is_marked = false;
  return change(changed);
}

Result<void> RollupBook::forget_marks(std::uint64_t damage) {
  const std::lock_guard lock(change_mutex_);
  RollupNote changed = note();
  changed.is_marked = false;
  changed.damage = damage;
  return change(changed);
}

}  // namespace vigia::storage::rolling
