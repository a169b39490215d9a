#include "services/storage/api/write_batch.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "services/storage/histograms/native_histogram.hpp"

namespace vigia::storage::api {
namespace {

using wire::remote_write::HistogramView;
using wire::remote_write::SeriesView;

constexpr TimestampMs kNoteAhead = 3'600'000;
constexpr TimestampMs kNoteTurns = 20;

std::string_view label_of(const SeriesView& series, std::string_view name) {
  for (const auto& label : series.labels) {
    if (label.name == name) return label.value;
  }
  return {};
}

Labels to_labels(const SeriesView& series) {
  // A series that is known came without.
  const auto views =
      series.labels.empty() ? wire::remote_write::read_labels(series.label_bytes) : series.labels;
  std::vector<Label> labels;
  labels.reserve(views.size());
  for (const auto& label : views) {
    labels.push_back({std::string(label.name), std::string(label.value)});
  }
  return Labels::from(std::move(labels));
}

}  // namespace

WriteBatch::WriteBatch(store::Catalog& catalog, customers::CustomerNumbers& numbers,
                       read::Fence fence, WriteTimes times)
    : catalog_(catalog),
      numbers_(numbers),
      fence_(std::move(fence)),
      exemplars_({times.oldest.kept_ms, times.oldest.taken_ms, times.exemplars_ahead_ms}),
      oldest_(times.oldest),
      kept_of_(std::move(times.kept_of)) {}

void WriteBatch::on_series(const SeriesView& series) {
  const std::uint64_t values = series.samples.size() + series.histograms.size();
  received_ += values;
  auto asked = std::exchange(asked_, std::nullopt);
  const bool is_asked = asked.has_value() && asked->known.has_value();
  const Owner* owner = is_asked ? &*last_owner_ : owner_of(series);
  if (owner == nullptr) return exemplars_.refuse(series);
  ingest::SeriesBatch target;
  target.customer = owner->number;
  if (!is_asked) asked = ask(*owner, series.label_bytes);
  const auto& [hash, known] = *asked;
  if (known.has_value()) target.id = known->id;
  if (!known.has_value() && !has_good_labels(series)) return exemplars_.refuse(series);
  metadata_.add_of_series(owner->id, series.metadata);
  add_values(series, target);
  const store::DayRange exemplar_days = exemplars_.add(owner->id, series, batch_.series.size());
  // Before the series is made: samples that are all too old must not leave an empty one behind.
  if (target.samples.empty() && target.histograms.empty() && exemplar_days == store::kNoDays)
    return;
  const store::DayRange days = store::joined(days_to_note(target), exemplar_days);
  if (!known.has_value() || !known->days.contains(days)) {
    Unresolved& unresolved = unresolved_of(owner->id);
    unresolved.series.push_back({to_labels(series), hash, days, {}, false});
    unresolved.at.push_back(batch_.series.size());
  }
  batch_.series.push_back(std::move(target));
}

// Over the bytes as they came: a series that is known costs no string and no sort, and nearly all
// are. A sender that orders its labels otherwise is resolved once more, to the same series.
WriteBatch::Asked WriteBatch::ask(const Owner& owner, std::string_view label_bytes) const {
  const store::LabelsHash hash = store::hash_labels(owner.seed, label_bytes);
  return {hash, catalog_.find(hash)};
}

// Under an owner's seed the catalog knows the bytes of his series alone: whose customer_id stands
// in them need not be read again. Only behind two series of one owner, or the catalog would be
// asked twice for each series where owners take turns.
bool WriteBatch::knows(std::string_view label_bytes) {
  asked_.reset();
  if (!is_run_) return false;
  asked_ = ask(*last_owner_, label_bytes);
  return asked_->known.has_value();
}

void WriteBatch::on_metadata(const wire::remote_write::MetadataView& metadata) {
  metadata_.add(fence_.has_value() ? *fence_ : CustomerId::provider(), metadata);
}

void WriteBatch::on_bad_series(const SeriesView& series, std::string_view why) {
  const std::uint64_t values = series.samples.size() + series.histograms.size();
  received_ += values;
  refuse(Refusal::kInvalid, values, series, why);
  exemplars_.refuse(series);
}

// In the last hour of a day the next one is noted too, a twentieth of the series every three
// minutes: not all of them at midnight.
store::DayRange WriteBatch::days_to_note(const ingest::SeriesBatch& target) const {
  TimestampMs first_ms = INT64_MAX;
  TimestampMs last_ms = 0;
  const auto see = [&](TimestampMs time_ms) {
    first_ms = std::min(first_ms, time_ms);
    last_ms = std::max(last_ms, time_ms);
  };
  for (const Sample& sample : target.samples) see(sample.timestamp_ms);
  for (const auto& histogram : target.histograms) see(histogram.timestamp_ms);
  if (first_ms > last_ms) return store::kNoDays;  // exemplars alone
  const auto turn = static_cast<TimestampMs>(target.id.value % kNoteTurns);
  return {store::day_of(first_ms),
          store::day_of(last_ms + kNoteAhead - turn * (kNoteAhead / kNoteTurns))};
}

const WriteBatch::Owner* WriteBatch::owner_of(const SeriesView& series) {
  const std::uint64_t values = series.samples.size() + series.histograms.size();
  const std::string_view label = label_of(series, kCustomerLabel);
  if (fence_.has_value() && label != fence_->text()) {
    refuse(Refusal::kForeign, values, series, "its customer_id is not that of the request");
    return nullptr;
  }
  // One sender's series follow each other; only a change of owner is looked up.
  is_run_ = last_owner_.has_value() && label == last_owner_label_;
  if (is_run_) return &*last_owner_;
  auto customer =
      label.empty() ? Result<CustomerId>(CustomerId::provider()) : CustomerId::parse(label);
  if (!customer) {
    refuse(Refusal::kInvalid, values, series, customer.error().message);
    return nullptr;
  }
  const auto number = numbers_.number_of(*customer);
  const auto seed = number ? catalog_.seed_of(*customer)
                           : Result<std::uint64_t>(tl::unexpected<Error>(number.error()));
  // Not a refusal: the store cannot tell now, and the whole request is answered retryably.
  if (!seed) {
    failure_ = seed.error();
    return nullptr;
  }
  last_owner_label_ = label;
  last_owner_ = {std::move(*customer), *number, *seed};
  if (kept_of_) {
    oldest_.kept_ms = kept_of_(last_owner_->id);
    exemplars_.set_kept(oldest_.kept_ms);
  }
  return &*last_owner_;
}

WriteBatch::Unresolved& WriteBatch::unresolved_of(const CustomerId& customer) {
  const auto at = std::find_if(unresolved_.begin(), unresolved_.end(),
                               [&](const Unresolved& one) { return one.customer == customer; });
  if (at != unresolved_.end()) return *at;
  return unresolved_.emplace_back(Unresolved{customer, {}, {}});
}

// Known series had good labels when they became known.
bool WriteBatch::has_good_labels(const SeriesView& series) {
  auto sorted = series.labels;  // as Prometheus, which takes them in any order
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& left, const auto& right) { return left.name < right.name; });
  const auto checked = wire::remote_write::check_labels(sorted);
  if (checked) return true;
  refuse(Refusal::kInvalid, series.samples.size() + series.histograms.size(), series,
         checked.error().message);
  return false;
}

void WriteBatch::add_values(const SeriesView& series, ingest::SeriesBatch& target) {
  target.samples.reserve(series.samples.size());
  for (const Sample& sample : series.samples) {
    if (!is_taken(sample.timestamp_ms, series)) continue;
    // Any NaN but the stale mark becomes one NaN, so that repeats of it compare equal.
    target.samples.push_back({sample.timestamp_ms, normalized(sample.value)});
  }
  for (const auto& histogram : series.histograms) {
    if (!is_taken(histogram.timestamp_ms, series) || !is_right(histogram, series)) continue;
    target.histograms.push_back({histogram.timestamp_ms, std::string(histogram.bytes)});
  }
}

bool WriteBatch::is_right(const HistogramView& histogram, const SeriesView& series) {
  if (histogram.left_out > 0) {
    refuse(Refusal::kInvalid, 1, series,
           fmt::format("a histogram of {} bytes is too long", histogram.left_out));
    return false;
  }
  const auto sound = histograms::sound_histogram(histogram.bytes);
  if (sound) return true;
  refuse(Refusal::kInvalid, 1, series, sound.error().message);
  return false;
}

bool WriteBatch::is_taken(TimestampMs time_ms, const SeriesView& series) {
  if (time_ms < 0) {
    refuse(Refusal::kInvalid, 1, series, "its time stamp is before 1970");
    return false;
  }
  if (time_ms > kTimeMax) {
    refuse(Refusal::kInvalid, 1, series, "its time stamp is after the year 9999");
    return false;
  }
  // Taken and dropped, no error: the sender would repeat it, and it would be deleted again.
  if (time_ms < oldest_.kept_ms) {
    ++expired_;
    return false;
  }
  if (time_ms >= oldest_.taken_ms) return true;
  refuse(Refusal::kTooOld, 1, series,
         fmt::format("too_old: its time stamp {} is before {}, as late_max says", time_ms,
                     oldest_.taken_ms));
  return false;
}

void WriteBatch::refuse(Refusal refusal, std::uint64_t samples, const SeriesView& series,
                        std::string_view why) {
  refused_[static_cast<std::size_t>(refusal)] += samples;
  if (first_problem_.empty()) {
    first_problem_ = fmt::format("{}: {}", to_string(to_labels(series)), why);
  }
}

Result<void> WriteBatch::resolve() {
  if (failure_.has_value()) return tl::unexpected<Error>(*failure_);
  for (Unresolved& some : unresolved_) {
    if (auto resolved = resolve_some(some); !resolved) return resolved;
  }
  exemplars_.resolve(batch_.series);
  return {};
}

// A series of exemplars alone has no head to be opened.
ingest::IngestBatch WriteBatch::take() {
  std::erase_if(batch_.series, [](const ingest::SeriesBatch& series) {
    return series.samples.empty() && series.histograms.empty();
  });
  return std::move(batch_);
}

Result<void> WriteBatch::resolve_some(Unresolved& unresolved) {
  auto resolved = catalog_.resolve(unresolved.customer, unresolved.series);
  if (!resolved) return resolved;
  for (std::size_t i = 0; i < unresolved.series.size(); ++i) {
    ingest::SeriesBatch& target = batch_.series[unresolved.at[i]];
    target.id = unresolved.series[i].id;
    target.is_new = unresolved.series[i].is_new;
  }
  return {};
}

}  // namespace vigia::storage::api
