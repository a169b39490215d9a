// Service: roll-ups, how long they are kept, and what is told of them.
#include <algorithm>

#include "services/storage/service.hpp"
#include "services/storage/store/patience.hpp"

namespace vigia::storage {
namespace {

constexpr TimestampMs kIndexAfterRawMs = 48 * 3'600'000;
constexpr int kHeldPart = 10;  // of its retention raw waits for roll-ups past it

// A store that marks no days stores no roll-ups: they are made of raw when asked for.
bool is_marking(store::ColdStore& cold) {
  return cold.chunks().due_days() != nullptr &&
         std::all_of(rolling::kRolledUp.begin(), rolling::kRolledUp.end(),
                     [&](Resolution resolution) { return cold.chunks().has(resolution); });
}

}  // namespace

// Before the first put. Where none are made, nothing is marked, and that there were any once is
// forgotten on disk first: made again later, all that lies there is marked.
Result<void> Service::open_rollup_book() {
  if (!is_marking(cold())) return {};
  store::DueDays& due_days = *cold().chunks().due_days();
  const retention::RetentionSettings& keep = settings_.retention;
  const rolling::MadeResolutions made = {keep.rollup_5m.is_made, keep.rollup_1h.is_made,
                                         keep.rollup_1d.is_made};
  const bool is_any_made = std::find(made.begin(), made.end(), true) != made.end();
  due_days.set_marking(is_any_made);
  return store::patiently("what is known of roll-ups", [&]() -> Result<void> {
    if (!is_any_made) {
      const auto note = due_days.note();
      if (!note) return forward(note);
      if (note->empty()) return {};
    }
    auto book = rolling::RollupBook::open(due_days, made);
    if (!book) return forward(book);
    if (is_any_made) {
      rollup_book_ = std::move(*book);
      return {};
    }
    const auto forgotten = due_days.forget_before(UINT32_MAX);
    return forgotten ? Result<void>() : forward(forgotten);
  });
}

void Service::start_rollups() {
  if (rollup_book_ == nullptr) return;
  remote_read_->use_rollups(*rollup_book_);
  rolling::RollerSources sources;
  sources.now_ms = [this] { return earliest_now_ms(); };
  // The rest of the day up to which it is kept, and chunks that reach into the next.
  const auto first_whole = [this](Duration keep) -> std::uint32_t {
    const TimestampMs kept_ms = kept_from_ms(keep);
    return kept_ms == 0 ? 0 : store::window_day_of(kept_ms) + 2;
  };
  sources.first_day = [this, first_whole] { return first_whole(settings_.retention.raw); };
  sources.own_first_days = [this, first_whole] {
    rolling::CustomerDays days;
    for (const auto& [customer, keep] : classes_->own(retention::DataKind::kRaw)) {
      days.emplace(customer, first_whole(keep));
    }
    return days;
  };
  sources.damage = [this] { return instance_->damage().mark; };
  sources.is_whole = [this] { return instance_->damage().unsaved_files == 0; };
  sources.is_writable = [this] { return instance_->is_writable(); };
  rolling::RollerSettings settings;
  const Duration shortest = classes_->shortest(retention::DataKind::kRaw);
  if (shortest != Duration(0))
    settings.held_max = std::min(settings.held_max, shortest / kHeldPart);
  roller_ = std::make_unique<rolling::Roller>(cold(), *rollup_book_, std::move(sources), settings);
  roller_->start();
}

Result<std::size_t> Service::expire_raw(const store::ExpiryCuts& cuts) {
  if (roller_ == nullptr) return cold().chunks().expire(Resolution::kRaw, cuts);
  const auto held = roller_->let_raw_go(cuts);
  if (!held) return forward(held);
  return cold().chunks().expire(Resolution::kRaw, *held);
}

bool Service::makes_rollups(Resolution resolution) const {
  const retention::RetentionSettings& keep = settings_.retention;
  if (resolution == Resolution::kFiveMinutes) return keep.rollup_5m.is_made;
  return resolution == Resolution::kHour ? keep.rollup_1h.is_made : keep.rollup_1d.is_made;
}

// Of samples and of what is made of them; 0: for ever.
Duration Service::longest_keep() const {
  Duration longest = classes_->longest(retention::DataKind::kRaw);
  for (const Resolution resolution : rolling::kRolledUp) {
    if (rollup_book_ == nullptr || !makes_rollups(resolution)) continue;
    longest = retention::longer(longest, classes_->longest(retention::kind_of(resolution)));
  }
  return longest;
}

Duration Service::longest_keep_of(const CustomerId& customer) const {
  Duration longest = classes_->keep_of(customer, retention::DataKind::kRaw);
  for (const Resolution resolution : rolling::kRolledUp) {
    if (rollup_book_ == nullptr || !makes_rollups(resolution)) continue;
    longest =
        retention::longer(longest, classes_->keep_of(customer, retention::kind_of(resolution)));
  }
  return longest;
}

// Of each customer when the last of his samples, and of what is made of them, has gone.
store::ExpiryCuts Service::index_cuts(TimestampMs now_ms) const {
  store::ExpiryCuts cuts = classes_->cuts(retention::DataKind::kRaw, now_ms);
  for (const Resolution resolution : rolling::kRolledUp) {
    if (rollup_book_ == nullptr || !makes_rollups(resolution)) continue;
    cuts = cuts.earlier_of(classes_->cuts(retention::kind_of(resolution), now_ms));
  }
  return cuts.earlier_by(kIndexAfterRawMs);
}

TimestampMs Service::samples_kept_from_ms(const CustomerId& customer, Resolution resolution) const {
  return kept_from_ms(customer, retention::kind_of(resolution));
}

void Service::add_rollup_metrics() {
  registry_.on_collect([this](const service::MetricRegistry::Emit& emit) {
    if (roller_ == nullptr) return;
    using service::MetricType;
    const rolling::RollerStats stats = roller_->stats();
    const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
      emit(name, help, MetricType::kCounter, {}, static_cast<double>(value));
    };
    counter("vigia_storage_rollup_days_total", "Days of series of which roll-ups were made.",
            stats.days);
    counter("vigia_storage_rollup_windows_total", "Windows that were made, of all resolutions.",
            stats.windows);
    counter("vigia_storage_rollup_days_gone_total",
            "Days of series that samples came for when others of theirs were gone: their roll-ups "
            "stay as they are.",
            stats.days_gone);
    counter(
        "vigia_storage_rollup_days_lost_total",
        "Days of series whose samples were gone before roll-ups were made of them: who asks for "
        "them is told that there are none.",
        stats.days_lost);
    counter("vigia_storage_rollup_unreadable_rows_total",
            "Rows of samples that roll-ups lack because they cannot be read.",
            stats.unreadable_rows);
    counter("vigia_storage_rollup_windows_kept_total",
            "Windows that stay as they were: of the samples of which they were made some are "
            "damaged or gone.",
            stats.windows_kept);
    counter("vigia_storage_rollup_failures_total",
            "Days of series that stay to be rolled up after an error.", stats.failures);
    emit("vigia_storage_rollup_days_due",
         "Days of series that were over and not rolled up after the last round.",
         MetricType::kGauge, {}, static_cast<double>(stats.days_due));
    emit(
        "vigia_storage_rollup_customers_left",
        "Customers of whom the last round has not come to the end: days of theirs are over and not "
        "rolled up yet, and are read from raw.",
        MetricType::kGauge, {}, static_cast<double>(stats.customers_left));
    const TimestampMs lag_ms =
        stats.oldest_due_ms == 0
            ? 0
            : std::max<TimestampMs>(earliest_now_ms() - stats.oldest_due_ms, 0);
    emit("vigia_storage_rollup_lag_seconds", "How long the oldest of them has been over.",
         MetricType::kGauge, {}, static_cast<double>(lag_ms) / 1'000);
    emit("vigia_storage_rollup_resting",
         "1 where the last round has found nothing to make: the next one is a minute later.",
         MetricType::kGauge, {}, stats.is_resting ? 1.0 : 0.0);
    emit("vigia_storage_rollup_marked",
         "0 while samples of earlier programs, or after damage, are looked through: till then "
         "roll-ups are made of raw when they are asked for.",
         MetricType::kGauge, {}, rollup_book_->note().is_marked ? 1.0 : 0.0);
  });
}

}  // namespace vigia::storage
