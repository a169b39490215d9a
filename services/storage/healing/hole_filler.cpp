#include "services/storage/healing/hole_filler.hpp"

#include <algorithm>
#include <future>
#include <utility>

#include "libs/base/fault_owner.hpp"
#include "libs/wire/remote_write/write_request.hpp"
#include "services/storage/healing/made_series.hpp"

namespace vigia::storage::healing {
namespace {

constexpr std::size_t kSeriesAtOnce = read::BatchRead::kSeriesMax;
constexpr std::size_t kSamplesAtOnce = 200'000;
constexpr std::size_t kWriteSamples = 20'000;
constexpr std::size_t kWriteSeries = 2'000;
constexpr std::size_t kKnownMax = 1U << 20U;  // as many as remote read gives

// A customer's name where it has a label: the fence of what is written.
read::Fence fence_of(const CustomerId& customer) {
  return customer.is_provider() ? read::Fence() : read::Fence(customer);
}

// Times of native histograms count too: a series has one sample of a time.
Result<std::vector<Sample>> times_of(const read::SeriesData& data, const Stretch& stretch) {
  auto samples = read::samples_of(data.chunks, stretch.from_ms, stretch.to_ms);
  if (!samples || data.histograms.empty()) return samples;
  for (const auto& histogram : data.histograms) samples->push_back({histogram.timestamp_ms, 0});
  std::sort(samples->begin(), samples->end(), [](const Sample& left, const Sample& right) {
    return left.timestamp_ms < right.timestamp_ms;
  });
  return samples;
}

// Clients go before it: it waits for each write.
Result<heads::AppendCounts> write_and_wait(ingest::Ingester& ingester, ingest::IngestBatch batch) {
  std::promise<Result<heads::AppendCounts>> told;
  auto outcome = told.get_future();
  ingester.write(std::move(batch),
                 [told = std::move(told)](Result<heads::AppendCounts> counts) mutable {
                   told.set_value(std::move(counts));
                 });
  try {
    return outcome.get();
  } catch (const std::future_error&) {
    return fail(ErrorCode::kUnavailable, "a fault of this program kept it from being stored");
  }
}

void add_to(api::WriteBatch& batch, const HotSeries& series) {
  const std::string label_bytes = wire::remote_write::encode_labels(series.labels);
  wire::remote_write::SeriesView view;
  view.label_bytes = label_bytes;
  for (const Label& label : series.labels) view.labels.push_back({label.name, label.value});
  view.samples = series.samples;
  batch.on_series(view);
}

}  // namespace

HealCounts& HealCounts::operator+=(const HealCounts& other) {
  compared += other.compared;
  holes += other.holes;
  fetched += other.fetched;
  stored += other.stored;
  for (std::size_t i = 0; i < kRefusedKinds; ++i) refused[i] += other.refused[i];
  return *this;
}

HoleFiller::HoleFiller(const CustomerId& customer, const Stretch& stretch, const ColdParts& parts,
                       const store::WorkLimit& limit)
    : customer_(customer),
      stretch_(stretch),
      parts_(parts),
      limit_(limit),
      memory_(parts.answers, customer.text()) {}

// Hot may cut a series into several frames; what the store is asked names none twice.
Result<void> HoleFiller::add(HotSeries series) {
  const bool is_waiting = std::any_of(waiting_.begin(), waiting_.end(), [&](const HotSeries& one) {
    return one.labels == series.labels;
  });
  if (is_waiting) {
    if (auto compared = compare(); !compared) return compared;
  }
  waiting_samples_ += series.samples.size();
  waiting_.push_back(std::move(series));
  if (waiting_.size() < kSeriesAtOnce && waiting_samples_ < kSamplesAtOnce) return {};
  return compare();
}

Result<void> HoleFiller::finish() {
  if (auto compared = compare(); !compared) return compared;
  return write();
}

// Once, and not at all where hot has nothing.
Result<void> HoleFiller::find_known() {
  if (std::exchange(is_known_read_, true)) return {};
  const store::DayRange days = read::days_between(stretch_.from_ms, stretch_.to_ms);
  const read::Fence fence(customer_);
  for (const std::vector<Matcher>& set : made_matchers(customer_)) {
    const auto matchers = store::compile_matchers(set);
    if (!matchers) return forward(matchers);
    const read::SeriesQuestion question{fence, *matchers, [&](const CustomerId&) { return days; },
                                        kKnownMax};
    auto found = read::select_series(parts_.catalog, question, memory_, limit_);
    if (!found) return forward(found);
    known_.insert(known_.end(), std::make_move_iterator(found->begin()),
                  std::make_move_iterator(found->end()));
  }
  std::sort(known_.begin(), known_.end(),
            [](const auto& left, const auto& right) { return left.labels < right.labels; });
  return {};
}

Result<void> HoleFiller::compare() {
  if (waiting_.empty()) return {};
  if (auto checked = limit_.check(); !checked) return checked;
  if (auto found = find_known(); !found) return found;
  std::vector<const HotSeries*> series;
  std::vector<store::SeriesKey> keys;
  for (const HotSeries& one : waiting_) {
    counts_.compared += one.samples.size();
    const auto at = std::lower_bound(known_.begin(), known_.end(), one.labels,
                                     [](const read::SelectedSeries& known, const Labels& labels) {
                                       return known.labels < labels;
                                     });
    if (at == known_.end() || at->labels != one.labels) {
      note_missing(one, one.samples);
    } else {
      series.push_back(&one);
      keys.push_back(read::key_of(*at));
    }
  }
  if (auto compared = compare_known(series, keys); !compared) return compared;
  waiting_.clear();
  waiting_samples_ = 0;
  if (missing_samples_ < kWriteSamples && missing_.size() < kWriteSeries) return {};
  return write();
}

Result<void> HoleFiller::compare_known(const std::vector<const HotSeries*>& series,
                                       const std::vector<store::SeriesKey>& keys) {
  const read::ReadRange range{stretch_.from_ms, stretch_.to_ms};
  for (std::size_t next = 0; next < keys.size();) {
    auto batch = parts_.reader.batch(
        customer_, {keys.begin() + static_cast<std::ptrdiff_t>(next), keys.end()}, range, memory_);
    if (!batch) return forward(batch);
    for (; batch->left() > 0; ++next) {
      const lanes::ScratchMemory scratch(memory_);
      const auto data = batch->next(memory_);
      // Rows of this series alone that cannot be read: the intake decides on all of its samples.
      const bool is_damaged = !data && data.error().code == ErrorCode::kCorrupt;
      if (!data && !is_damaged) return forward(data);
      const auto cold = is_damaged ? std::vector<Sample>() : times_of(*data, stretch_);
      const HotSeries& hot = *series[next];
      note_missing(hot, cold ? missing_in(*cold, hot.samples) : hot.samples);
    }
  }
  return {};
}

void HoleFiller::note_missing(const HotSeries& series, std::vector<Sample> missing) {
  if (missing.empty()) return;
  ++counts_.holes;
  missing_samples_ += missing.size();
  missing_.push_back({series.labels, std::move(missing)});
}

// By the way of what is sent here, and with its books.
Result<void> HoleFiller::write() {
  if (missing_.empty()) return {};
  const FaultOwner owner(customer_.text());
  api::WriteBatch batch(parts_.catalog, parts_.numbers, fence_of(customer_), parts_.times());
  for (const HotSeries& series : missing_) add_to(batch, series);
  api::RequestBooks books(parts_.books, batch.received());
  if (auto resolved = batch.resolve(); !resolved) return resolved;
  books.note_expired(batch.expired());
  std::uint64_t refused = 0;
  for (std::size_t i = 0; i < api::kRefusals; ++i) {
    const auto why = static_cast<api::Refusal>(i);
    books.note_refused(why, batch.refused(why));
    refused += batch.refused(why);
  }
  ingest::IngestBatch accepted = batch.take();
  if (accepted.items() > 0) {
    const auto counts = write_and_wait(parts_.ingester, std::move(accepted));
    if (!counts) return forward(counts);
    books.note(*counts);
    if (counts->set_aside > 0) {
      return fail(ErrorCode::kUnavailable,
                  "a fault of this program kept some samples out, see its log");
    }
    counts_.stored += counts->stored + counts->repeats;
  }
  counts_.fetched += missing_samples_;
  counts_.refused[static_cast<std::size_t>(Refused::kInvalid)] += refused;
  missing_.clear();
  missing_samples_ = 0;
  return {};
}

}  // namespace vigia::storage::healing
