#include "services/storage/keep/carried_rollups.hpp"

#include <algorithm>
#include <optional>

#include "services/storage/keep/series_pages.hpp"

namespace vigia::storage::keep {
namespace {

using Day = std::optional<std::uint32_t>;

// From which day on the other store has windows of one resolution, and knew it before.
Day made_from(const Day& carried, const Day& known, std::uint32_t raw_gone_day, bool is_new) {
  if (carried && known && !is_new) return std::max(*carried, *known);
  if (carried) return carried;
  // It makes them itself, of what is whole in raw.
  return known ? Day(std::max(*known, raw_gone_day + 1)) : Day();
}

Result<bool> has_series(store::ColdStore& store, const CustomerId& customer) {
  const auto days = days_with_series(store.catalog(), customer);
  if (!days) return forward(days);
  return *days != store::kNoDays;
}

}  // namespace

std::uint32_t CarriedRollups::first_day() const {
  std::uint32_t first = UINT32_MAX;
  for (const Day& day : from) first = std::min(first, day.value_or(UINT32_MAX));
  return first;
}

Result<rolling::RollupNote> read_rollup_note(store::ColdStore& store) {
  store::DueDays* due_days = store.chunks().due_days();
  if (due_days == nullptr) return rolling::RollupNote();
  const auto bytes = due_days->note();
  if (!bytes) return forward(bytes);
  if (bytes->empty()) return rolling::RollupNote();
  const auto note = rolling::read_note(*bytes);
  if (note) return *note;
  return fail(
      ErrorCode::kCorrupt,
      "what a store knows of its roll-ups cannot be read: start it, which marks its samples "
      "anew, stop it, and copy again");
}

CarriedRollups carried_rollups(const rolling::RollupNote& note, const CopyKept& kept,
                               store::ColdStore& to) {
  CarriedRollups carried;
  if (to.chunks().due_days() == nullptr) return carried;
  for (std::size_t i = 0; i < carried.from.size(); ++i) {
    const Day& own = note.made_from.at(i);
    const Day& kept_from = kept.rollups.at(i);
    if (own && kept_from) carried.from.at(i) = std::max(*own, *kept_from);
  }
  // Samples of the day before the first that goes are not whole; those of midnight are its last.
  const std::uint32_t left_day = kept.samples == 0 ? 0 : kept.samples - 1;
  carried.raw_gone_day = std::max(note.raw_gone_day, left_day);
  return carried;
}

Result<void> note_carried(store::ColdStore& to, const CustomerId& customer,
                          const CarriedRollups& carried) {
  if (!carried.is_any()) return {};
  auto note = read_rollup_note(to);
  if (!note) return tl::unexpected<Error>(note.error());
  const auto has_own = has_series(to, customer);
  if (!has_own) return forward(has_own);
  const bool is_new = !*has_own && !note->own.contains(customer);
  const rolling::OwnDays known = note->days_of(customer);
  rolling::OwnDays days;
  days.raw_gone_day = std::max(known.raw_gone_day, carried.raw_gone_day);
  for (std::size_t i = 0; i < carried.from.size(); ++i) {
    days.made_from.at(i) =
        made_from(carried.from.at(i), known.made_from.at(i), days.raw_gone_day, is_new);
  }
  if (days == known) return {};
  note->own[customer] = days;
  return to.chunks().due_days()->set_note(rolling::write_note(*note));
}

Result<void> forget_carried(store::ColdStore& store, const CustomerId& customer) {
  store::DueDays* due_days = store.chunks().due_days();
  if (due_days == nullptr) return {};
  const auto bytes = due_days->note();
  if (!bytes) return forward(bytes);
  if (bytes->empty()) return {};
  auto note = rolling::read_note(*bytes);
  if (!note) return due_days->set_note("");
  if (note->own.erase(customer) == 0) return {};
  return due_days->set_note(rolling::write_note(*note));
}

}  // namespace vigia::storage::keep
