// store_copy.hpp: what two stores hold, side by side.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "services/storage/keep/carried_rollups.hpp"
#include "services/storage/keep/event_copy.hpp"
#include "services/storage/keep/series_pages.hpp"
#include "services/storage/keep/store_copy.hpp"
#include "services/storage/keep/time_word.hpp"
#include "services/storage/keep/while_it_passes.hpp"
#include "services/storage/store/span_tags.hpp"

namespace vigia::storage::keep {
namespace {

class StoreComparison {
 public:
  using Visit = std::function<void(const ComparedDay&)>;
  StoreComparison(const CopyJob& job, const CopyTold& told, const Visit& visit)
      : job_(job),
        told_(told),
        visit_(visit),
        from_(job.from, told.damage),
        say_of_to_([&told](const std::string& what) { told.damage("the destination: " + what); }),
        to_(job.to, say_of_to_) {}

  Result<bool> run() {
    for (const CustomerId& customer : job_.customers) {
      for (const auto compare :
           {&StoreComparison::samples, &StoreComparison::rollups, &StoreComparison::exemplars,
            &StoreComparison::metadata, &StoreComparison::spans, &StoreComparison::records}) {
        auto compared = (this->*compare)(customer);
        if (!compared) return forward(compared);
      }
    }
    return is_equal_;
  }

 private:
  Result<void> samples(const CustomerId& customer) {
    const auto from = days_with_series(job_.from.catalog(), customer);
    if (!from) return forward(from);
    const auto to = days_with_series(job_.to.catalog(), customer);
    if (!to) return forward(to);
    const store::DayRange days = joined(*from, *to);
    if (days == store::kNoDays) return {};
    for (std::uint64_t day = std::max(days.first, job_.kept_of(customer).samples); day <= days.last;
         ++day) {
      const auto own = static_cast<std::uint32_t>(day);
      tell(customer, "samples", own);
      auto added = add({customer, "samples", own},
                       [&](StoreSums& sums) { return sums.samples(customer, own); });
      if (!added) return added;
    }
    return {};
  }

  // Of days that are whole in samples the destination makes its own, and until then it has what
  // came.
  Result<void> rollups(const CustomerId& customer) {
    const auto note = read_rollup_note(job_.from);
    if (!note) return tl::unexpected<Error>(note.error());
    const CarriedRollups carried =
        carried_rollups(note->of(customer), job_.kept_of(customer), job_.to);
    const auto days = days_with_series(job_.from.catalog(), customer);
    if (!days) return forward(days);
    const auto to = days_with_series(job_.to.catalog(), customer);
    if (!to) return forward(to);
    const store::DayRange all = joined(*days, *to);
    if (all == store::kNoDays) return {};
    const std::uint32_t last = std::min(all.last, carried.raw_gone_day);
    for (std::size_t i = 0; i < carried.from.size(); ++i) {
      if (!carried.from.at(i)) continue;
      auto added = rollups_of(customer, rolling::kRolledUp.at(i),
                              {std::max(all.first, *carried.from.at(i)), last});
      if (!added) return added;
    }
    return {};
  }

  Result<void> rollups_of(const CustomerId& customer, Resolution resolution,
                          const store::DayRange& days) {
    const std::string kind = fmt::format("{} roll-ups", to_string(resolution));
    const std::uint64_t step = rolling::period_days(resolution);
    for (std::uint64_t day = rolling::period_of(resolution, days.first); day <= days.last;
         day += step) {
      const RollupPeriod period{resolution, static_cast<std::uint32_t>(day)};
      tell(customer, kind, period.first_day);
      auto from = while_it_passes(kind, [&] { return from_.windows(customer, period); });
      if (!from) return forward(from);
      auto to = while_it_passes(kind, [&] { return to_.windows(customer, period); });
      if (!to) return forward(to);
      for (const auto& [own, sum] : *to) from->try_emplace(own);
      for (const auto& [own, sum] : *from) {
        if (days.contains({own, own})) note({customer, kind, own, sum, (*to)[own]});
      }
    }
    return {};
  }

  Result<void> exemplars(const CustomerId& customer) {
    if (job_.from.exemplars() == nullptr || job_.to.exemplars() == nullptr) return {};
    const TimestampMs from_ms = first_ms_of(job_.kept_of(customer).samples);
    auto from = while_it_passes("exemplars", [&] { return from_.exemplars(customer, from_ms); });
    if (!from) return forward(from);
    auto to = while_it_passes("exemplars", [&] { return to_.exemplars(customer, from_ms); });
    if (!to) return forward(to);
    for (const auto& [day, sum] : *to) from->try_emplace(day);
    for (const auto& [day, sum] : *from) note({customer, "exemplars", day, sum, (*to)[day]});
    return {};
  }

  Result<void> metadata(const CustomerId& customer) {
    if (job_.from.metadata() == nullptr || job_.to.metadata() == nullptr) return {};
    auto from = while_it_passes("metadata", [&] { return from_.metadata(customer); });
    if (!from) return forward(from);
    auto to = while_it_passes("metadata", [&] { return to_.metadata(customer); });
    if (!to) return forward(to);
    for (const auto& [day, sum] : *to) from->try_emplace(day);
    for (const auto& [day, sum] : *from) note({customer, "metadata", day, sum, (*to)[day]});
    return {};
  }

  Result<void> spans(const CustomerId& customer) {
    if (job_.from.span_days() == nullptr) return {};
    std::set<std::uint32_t> days;
    for (store::ColdStore* store : {&job_.from, &job_.to}) {
      if (store->span_days() == nullptr) continue;
      const auto own = store->span_days()->days_with_spans(customer);
      if (!own) return forward(own);
      days.insert(own->begin(), own->end());
    }
    const std::uint32_t first = job_.kept_of(customer).spans;
    for (const std::uint32_t day : days) {
      if (day < first) continue;
      tell(customer, "spans", day);
      auto added = job_.to.span_days() == nullptr
                       ? by_trace(customer, day)
                       : add({customer, "spans", day},
                             [&](StoreSums& sums) { return sums.spans(customer, day); });
      if (!added) return added;
    }
    return {};
  }

  // Of each trace that has a span on the day all of it, in both.
  Result<void> by_trace(const CustomerId& customer, std::uint32_t day) {
    ComparedDay compared{customer, "spans", day};
    std::string last;
    Result<void> added;
    const store::WorkLimit unlimited;
    const auto visit = [&](const store::EventView& span) {
      const std::string own(store::outline_of(span.item).trace_id);
      if (own != last) added = add_trace(customer, own, compared);
      last = own;
      return added.has_value();
    };
    const auto read = job_.from.span_days()->read_day(customer, day, visit, unlimited);
    if (!read) return forward(read);
    if (added) note(compared);
    return added;
  }

  Result<void> add_trace(const CustomerId& customer, const std::string& trace_id,
                         ComparedDay& compared) {
    for (const auto& [sums, total] : {std::pair(&from_, &compared.from), {&to_, &compared.to}}) {
      const auto sum = while_it_passes("a trace", [&] { return sums->trace(customer, trace_id); });
      if (!sum) return forward(sum);
      total->sources += sum->sources;
      total->items += sum->items;
      total->checksum += sum->checksum;
    }
    return {};
  }

  Result<void> records(const CustomerId& customer) {
    std::uint32_t day = job_.kept_of(customer).records;
    for (;;) {
      std::optional<std::uint32_t> next;
      for (store::ColdStore* store : {&job_.from, &job_.to}) {
        const auto own = while_it_passes(
            "log records", [&] { return next_day_with_records(store->events(), customer, day); });
        if (!own) return forward(own);
        if (*own) next = std::min(next.value_or(UINT32_MAX), **own);
      }
      if (!next) return {};
      tell(customer, "log records", *next);
      auto added = add({customer, "log records", *next},
                       [&](StoreSums& sums) { return sums.records(customer, *next); });
      if (!added) return added;
      day = *next + 1;
    }
  }

  template <typename Sum>
  Result<void> add(ComparedDay day, Sum&& sum_of) {
    const auto from = while_it_passes(day.kind, [&] { return sum_of(from_); });
    if (!from) return forward(from);
    const auto to = while_it_passes(day.kind, [&] { return sum_of(to_); });
    if (!to) return forward(to);
    day.from = *from;
    day.to = *to;
    note(day);
    return {};
  }
  void note(const ComparedDay& day) {
    if (day.from.items == 0 && day.to.items == 0) return;
    is_equal_ = is_equal_ && day.from == day.to;
    visit_(day);
  }
  void tell(const CustomerId& customer, std::string_view what, std::uint32_t day) const {
    told_.progress(
        fmt::format("comparing {} of customer {}, {}", what, customer.text(), day_text(day)));
  }

  const CopyJob& job_;
  const CopyTold& told_;
  const Visit& visit_;
  StoreSums from_;
  const SayDamage say_of_to_;  // its rows may have the same names as those of `from`
  StoreSums to_;
  bool is_equal_ = true;
};

}  // namespace

Result<bool> compare_stores(const CopyJob& job, const CopyTold& told,
                            const std::function<void(const ComparedDay&)>& visit) {
  return StoreComparison(job, told, visit).run();
}

}  // namespace vigia::storage::keep
