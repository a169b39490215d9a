#include "services/storage/keep/store_copy.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "services/storage/keep/copy_state.hpp"
#include "services/storage/keep/event_copy.hpp"
#include "services/storage/keep/exemplar_copy.hpp"
#include "services/storage/keep/metadata_copy.hpp"
#include "services/storage/keep/rollup_copy.hpp"
#include "services/storage/keep/sample_copy.hpp"
#include "services/storage/keep/time_word.hpp"
#include "services/storage/keep/while_it_passes.hpp"

namespace vigia::storage::keep {
namespace {

class StoreCopy {
 public:
  StoreCopy(const CopyJob& job, const CopyTold& told, CopyState state)
      : job_(job), told_(told), state_(std::move(state)) {}

  Result<CopyCounts> run() {
    for (const CustomerId& customer : job_.customers) {
      if (auto copied = copy(customer); !copied) return forward(copied);
    }
    if (auto noted = state_.note_end(); !noted) return forward(noted);
    return counts_;
  }

 private:
  Result<void> copy(const CustomerId& customer) {
    if (state_.is_done(customer, CopyPart::kRollups)) return {};
    // Whoever has logs alone is known there by this.
    const auto known =
        while_it_passes("the index", [&] { return job_.to.catalog().seed_of(customer); });
    if (!known) return forward(known);
    if (auto noted = note_rollups(customer); !noted) return noted;
    tell(customer, "metadata", 0);
    if (auto copied = add(copy_metadata(job_.from, job_.to, customer)); !copied) return copied;
    if (auto copied = copy_samples(customer); !copied) return copied;
    if (auto copied = copy_exemplars(customer); !copied) return copied;
    if (auto copied = copy_spans(customer); !copied) return copied;
    if (auto copied = copy_records(customer); !copied) return copied;
    return copy_rollups(customer);
  }

  // Before the first sample, of whose day the other store might make less than there was.
  Result<void> note_rollups(const CustomerId& customer) {
    const auto note =
        while_it_passes("what is known of roll-ups", [&] { return read_rollup_note(job_.from); });
    if (!note) return tl::unexpected<Error>(note.error());
    note_ = note->of(customer);
    carried_ = carried_rollups(note_, job_.kept_of(customer), job_.to);
    return while_it_passes("what is known of roll-ups",
                           [&] { return note_carried(job_.to, customer, carried_); });
  }

  Result<void> copy_samples(const CustomerId& customer) {
    if (state_.is_done(customer, CopyPart::kSamples)) return {};
    const std::uint32_t kept = job_.kept_of(customer).samples;
    SampleCopy samples(job_.from, job_.to, told_.damage);
    if (auto counted = add(samples.count_before(customer, kept)); !counted) {
      return counted;
    }
    const auto days = days_with_series(job_.from.catalog(), customer);
    if (!days) return forward(days);
    const std::uint32_t first =
        std::max({days->first, kept, state_.first_day(customer, CopyPart::kSamples)});
    for (std::uint64_t day = first; day <= days->last; ++day) {
      const auto own = static_cast<std::uint32_t>(day);
      tell(customer, "samples", own);
      const auto copied = samples.copy_day(customer, {own, own == kept});
      if (!copied) return forward(copied);
      counts_ += *copied;
      if (copied->rows == 0 && copied->rows_there == 0) continue;
      if (auto synced = job_.to.chunks().sync(); !synced) return synced;
      if (auto noted = note({customer.text(), CopyPart::kSamples, own + 1}); !noted) return noted;
    }
    return note({customer.text(), CopyPart::kExemplars, 0});
  }

  Result<void> copy_exemplars(const CustomerId& customer) {
    if (state_.is_done(customer, CopyPart::kExemplars)) return {};
    tell(customer, "exemplars", 0);
    ExemplarCopy exemplars(job_.from, job_.to);
    auto copied = add(exemplars.copy(customer, first_ms_of(job_.kept_of(customer).samples)));
    if (!copied) return copied;
    if (job_.to.exemplars() != nullptr) {
      if (auto synced = job_.to.exemplars()->sync(); !synced) return synced;
    }
    return note({customer.text(), CopyPart::kSpans, 0});
  }

  Result<void> copy_spans(const CustomerId& customer) {
    if (state_.is_done(customer, CopyPart::kSpans)) return {};
    if (job_.from.span_days() == nullptr) {
      ++counts_.unwalkable;
      return note({customer.text(), CopyPart::kRecords, 0});
    }
    const auto days = job_.from.span_days()->days_with_spans(customer);
    if (!days) return forward(days);
    const std::uint32_t kept = job_.kept_of(customer).spans;
    EventCopy events(job_.from, job_.to, job_.to_clock);
    for (const std::uint32_t day : *days) {
      if (day < state_.first_day(customer, CopyPart::kSpans)) continue;
      tell(customer, "spans", day);
      auto copied =
          add(day < kept ? events.count_spans(customer, day) : events.copy_spans(customer, day));
      if (!copied) return copied;
      if (auto noted = note({customer.text(), CopyPart::kSpans, day + 1}); !noted) return noted;
    }
    return note({customer.text(), CopyPart::kRecords, 0});
  }

  Result<void> copy_records(const CustomerId& customer) {
    if (state_.is_done(customer, CopyPart::kRecords)) return {};
    const std::uint32_t kept = job_.kept_of(customer).records;
    EventCopy events(job_.from, job_.to, job_.to_clock);
    std::uint32_t day = state_.first_day(customer, CopyPart::kRecords);
    for (;;) {
      const auto next = while_it_passes(
          "log records", [&] { return next_day_with_records(job_.from.events(), customer, day); });
      if (!next) return forward(next);
      if (!*next) return note({customer.text(), CopyPart::kRollups, 0});
      day = **next;
      tell(customer, "log records", day);
      auto copied = add(day < kept ? events.count_records(customer, day)
                                   : events.copy_records(customer, day));
      if (!copied) return copied;
      if (auto noted = note({customer.text(), CopyPart::kRecords, ++day}); !noted) return noted;
    }
  }

  // From the first day of the period in which his first day lies: periods of days begin there, too.
  Result<void> copy_rollups(const CustomerId& customer) {
    RollupCopy rollups(job_.from, job_.to, told_.damage);
    if (auto counted = add(rollups.count_left(customer, carried_)); !counted) return counted;
    auto marks = add(rollups.count_marks(customer, carried_, note_));
    if (!marks) return marks;
    const auto days = days_with_series(job_.from.catalog(), customer);
    if (!days) return forward(days);
    if (!carried_.is_any() || *days == store::kNoDays) return {};
    const std::uint32_t first = std::max(rolling::period_of(Resolution::kDay, days->first),
                                         state_.first_day(customer, CopyPart::kRollups));
    for (std::uint64_t day = first; day <= days->last; ++day) {
      const auto own = static_cast<std::uint32_t>(day);
      tell(customer, "roll-ups", own);
      const auto copied = rollups.copy_day(customer, carried_, own);
      if (!copied) return forward(copied);
      counts_ += *copied;
      if (copied->windows == 0 && copied->windows_there == 0) continue;
      if (auto synced = job_.to.chunks().sync(); !synced) return synced;
      if (auto noted = note({customer.text(), CopyPart::kRollups, own + 1}); !noted) return noted;
    }
    return {};
  }

  Result<void> add(const Result<CopyCounts>& counts) {
    if (!counts) return forward(counts);
    counts_ += *counts;
    return {};
  }
  Result<void> note(const CopyPlace& next) { return state_.note_next(next); }
  void tell(const CustomerId& customer, std::string_view what, std::uint32_t day) const {
    told_.progress(fmt::format("copying {} of customer {}, {}; {} rows, {} spans, {} records", what,
                               customer.text(), day_text(day), counts_.rows, counts_.spans,
                               counts_.records));
  }

  const CopyJob& job_;
  const CopyTold& told_;
  CopyState state_;
  CopyCounts counts_;
  rolling::RollupNote note_;  // the source's, of the customer
  CarriedRollups carried_;    // likewise
};

}  // namespace

Result<CopyCounts> copy_store(const CopyJob& job, const CopyTold& told) {
  auto state = CopyState::load(job.state_file, job.name);
  if (!state) return forward(state);
  return StoreCopy(job, told, *std::move(state)).run();
}

}  // namespace vigia::storage::keep
