#include "services/storage/read/rolled_read.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "libs/rollup/window_maker.hpp"
#include "services/storage/heads/head.hpp"
#include "services/storage/rolling/window_rows.hpp"

namespace vigia::storage::read {
namespace {

// A sample in the list, and packed, while lists grow.
constexpr std::size_t kBytesPerWindow = 2 * sizeof(Sample) + 20;
// Runs of days whose raw is read of many series at once: each has a cursor of its own.
constexpr std::size_t kRawTogether = 4;

constexpr TimestampMs begin_ms_of(std::uint32_t day) {
  return TimestampMs{day} * store::kDayMs + 1;
}
constexpr TimestampMs end_ms_of(std::uint32_t day) {
  return (TimestampMs{day} + 1) * store::kDayMs;
}

// What of the range lies in the days.
ReadRange range_of(const ReadRange& range, const store::DayRange& days) {
  ReadRange part;
  part.from_ms = std::max(range.from_ms, begin_ms_of(days.first));
  part.to_ms = std::min(range.to_ms, end_ms_of(days.last));
  return part;
}

store::DayRange days_of(const ReadRange& range) {
  return {store::window_day_of(range.from_ms), store::window_day_of(range.to_ms)};
}

tl::unexpected<Error> no_windows_of_histograms() {
  return fail(ErrorCode::kNotFound,
              fmt::format("there are no roll-ups of native histograms; without {} they are read as "
                          "they are",
                          kRollupLabel));
}

// Of which the samples went before windows were made.
Result<void> check_lost(const std::optional<std::uint32_t>& last_lost_day, Resolution resolution) {
  if (!last_lost_day.has_value()) return {};
  return no_windows_before(begin_ms_of(*last_lost_day + 1), resolution);
}

// Gathers the part of each window as the windows come.
class PartList {
 public:
  PartList(const rollup::Asked& asked, std::vector<Sample>& samples)
      : part_(asked.part), width_ms_(rollup::width_ms(asked.resolution)), samples_(samples) {}
  void add(const std::optional<rollup::Window>& window) {
    if (window.has_value()) add(*window);
  }
  void add(const rollup::Window& window) {
    const auto value = rollup::value_of(window, part_, width_ms_);
    if (value.has_value()) samples_.push_back({stamp_of(window.end_ms), *value});
  }

 private:
  rollup::Part part_;
  TimestampMs width_ms_;
  std::vector<Sample>& samples_;
};

std::size_t windows_in(TimestampMs from_ms, TimestampMs to_ms, TimestampMs width_ms) {
  return static_cast<std::size_t>((to_ms - from_ms) / width_ms + 1);
}

// The windows that the samples in the range make.
Result<void> add_windows(const SeriesData& raw, const ReadRange& range, Resolution resolution,
                         PartList& parts) {
  rollup::WindowMaker maker(rollup::width_ms(resolution));
  for (const ChunkPiece& piece : raw.chunks) {
    chunk::ChunkReader reader(piece.data);
    for (Sample sample; reader.next(sample);) {
      if (sample.timestamp_ms > range.to_ms) break;
      if (sample.timestamp_ms >= range.from_ms) parts.add(maker.add(sample));
    }
    if (reader.is_damaged()) return fail(ErrorCode::kCorrupt, "cold store: a damaged chunk");
  }
  parts.add(maker.finish());
  return {};
}

// Runs of days in order, each day once, clipped.
std::vector<store::DayRange> joined_runs(std::vector<store::DayRange> days,
                                         const store::DayRange& within) {
  std::sort(days.begin(), days.end());
  std::vector<store::DayRange> runs;
  for (store::DayRange run : days) {
    run = {std::max(run.first, within.first), std::min(run.last, within.last)};
    if (run.first > run.last) continue;
    if (!runs.empty() && run.first - 1 <= runs.back().last) {
      runs.back().last = std::max(runs.back().last, run.last);
    } else {
      runs.push_back(run);
    }
  }
  return runs;
}

bool is_among(const std::vector<store::DayRange>& runs, std::uint32_t day) {
  const auto at = std::partition_point(
      runs.begin(), runs.end(), [day](const store::DayRange& run) { return run.last < day; });
  return at != runs.end() && day >= at->first;
}

// What a stored window says, or that a newer version of it says nothing.
struct StoredPart {
  TimestampMs stamp_ms;
  std::uint64_t version;
  std::optional<double> value;
};

}  // namespace

// The windows of the rows that are asked for, one series after the other. One for all series of a
// run: lists of hundreds of kilobytes that are made anew for each cost more than what they hold.
class RolledRun::StoredParts {
 public:
  StoredParts(const rollup::Asked& asked, const ReadRange& range)
      : reader_(rollup::width_ms(asked.resolution), asked.part), range_(range) {}

  // Of the next series, without those of `raw_days`, which must live until the one after it.
  void begin(const std::vector<store::DayRange>& raw_days) {
    raw_days_ = &raw_days;
    parts_.clear();
    is_sorted_ = true;
  }

  Result<void> add(const store::ChunkRow& row) {
    if (rolling::is_histogram_day(row)) {
      const std::uint32_t day = store::day_of(row.first_ms);
      has_met_histograms_ = has_met_histograms_ || !is_among(*raw_days_, day);
      return {};
    }
    of_row_.clear();
    if (auto read = rolling::parts_of_row(row, reader_, of_row_); !read) return read;
    for (const rollup::PartOfWindow& part : of_row_) {
      const bool is_inside = part.end_ms > range_.from_ms && part.end_ms <= range_.to_ms;
      if (is_inside && is_wanted(part.end_ms))
        add({stamp_of(part.end_ms), row.version, part.value});
    }
    return {};
  }

  // Of a day that is read from here.
  bool has_met_histograms() const { return has_met_histograms_; }

  // Of one stamp that of the highest version.
  void give(std::vector<Sample>& samples) {
    if (!is_sorted_) std::stable_sort(parts_.begin(), parts_.end(), comes_before);
    samples.reserve(samples.size() + parts_.size());
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (i > 0 && parts_[i].stamp_ms == parts_[i - 1].stamp_ms) continue;
      if (parts_[i].value.has_value()) samples.push_back({parts_[i].stamp_ms, *parts_[i].value});
    }
  }

 private:
  static bool comes_before(const StoredPart& left, const StoredPart& right) {
    if (left.stamp_ms != right.stamp_ms) return left.stamp_ms < right.stamp_ms;
    return left.version > right.version;
  }
  // Rows mostly come in the order of their windows, one a period.
  void add(const StoredPart& part) {
    is_sorted_ = is_sorted_ && (parts_.empty() || !comes_before(part, parts_.back()));
    parts_.push_back(part);
  }
  bool is_wanted(TimestampMs end_ms) const {
    return raw_days_->empty() || !is_among(*raw_days_, rolling::day_of_window(end_ms));
  }

  rollup::PartReader reader_;
  const ReadRange range_;
  const std::vector<store::DayRange>* raw_days_ = nullptr;
  std::vector<rollup::PartOfWindow> of_row_;
  std::vector<StoredPart> parts_;
  bool is_sorted_ = true;
  bool has_met_histograms_ = false;
};

namespace {

SeriesData packed(std::vector<Sample> samples, Resolution resolution) {
  const auto comes_before = [](const Sample& left, const Sample& right) {
    return left.timestamp_ms < right.timestamp_ms;
  };
  // As they do where none of them was made of raw.
  if (!std::is_sorted(samples.begin(), samples.end(), comes_before)) {
    std::sort(samples.begin(), samples.end(), comes_before);
  }
  SeriesData data;
  for (store::ChunkRow& row : heads::pack_rows({}, samples, store::kInOrder, resolution)) {
    data.chunks.push_back({row.first_ms, row.last_ms, std::move(row.data)});
  }
  return data;
}

}  // namespace

std::optional<TimestampMs> RolledReader::made_from_ms(const CustomerId& customer,
                                                      Resolution resolution) const {
  const auto day = note(customer).made_from_day(resolution);
  if (!day.has_value()) return std::nullopt;
  return begin_ms_of(*day);
}

Result<void> RolledReader::check(const CustomerId& customer,
                                 std::span<const store::SeriesKey> series,
                                 const rollup::Asked& asked, const ReadRange& range,
                                 lanes::AnswerMemory& memory) const {
  const Job job{customer, series, asked, range, memory};
  const auto planned = plans(job, note(customer));
  if (!planned) return tl::unexpected<Error>(planned.error());
  for (const Plan& plan : *planned) {
    if (auto there = check_lost(plan.last_lost_day, asked.resolution); !there) return there;
  }
  auto found = has_stored_histograms(job, *planned);
  if (found && !*found) found = has_raw_histograms(job, *planned);
  if (!found) return forward(found);
  if (*found) return no_windows_of_histograms();
  return {};
}

Result<bool> RolledReader::has_stored_histograms(const Job& job,
                                                 const std::vector<Plan>& plans) const {
  if (!is_stored(job.customer, job.asked.resolution)) return false;
  store::ChunkQuery query{job.range.from_ms - 1, job.range.to_ms - 1, job.asked.resolution};
  query.wants_data = false;
  const auto cursor = reader_.chunks().read(job.customer, job.series, query);
  for (;;) {
    const auto page = cursor->next();
    if (!page && page.error().code == ErrorCode::kCorrupt) continue;  // told when it is read
    if (!page) return tl::unexpected<Error>(page.error());
    if (page->empty()) return false;
    for (const store::ChunkRow& row : *page) {
      const std::uint32_t day = store::day_of(row.first_ms);
      if (rolling::is_histogram_day(row) && !is_among(plans[cursor->at()].raw_days, day)) {
        return true;
      }
    }
  }
}

Result<bool> RolledReader::has_raw_histograms(const Job& job,
                                              const std::vector<Plan>& plans) const {
  std::map<store::DayRange, std::vector<store::SeriesKey>> by_days;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    for (const store::DayRange& run : plans[i].raw_days) by_days[run].push_back(job.series[i]);
  }
  for (const auto& [days, series] : by_days) {
    auto found =
        reader_.has_histograms(job.customer, series, range_of(job.range, days), job.memory);
    if (!found || *found) return found;
  }
  return false;
}

// Heads first, then the marks: what moves from one to the other meanwhile is seen in one of them.
Result<std::vector<RolledRun::Plan>> RolledReader::plans(const Job& job,
                                                         const rolling::RollupNote& note) const {
  const store::DayRange all = days_of(job.range);
  const auto made_from = note.made_from_day(job.asked.resolution);
  if (!made_from.has_value()) return std::vector<Plan>(job.series.size(), {{all}, std::nullopt});
  // Of older days there is what was made of them.
  const store::DayRange whole{std::max(all.first, note.raw_gone_day + 1), all.last};
  std::vector<Plan> plans;
  std::vector<store::SeriesId> ids;
  for (const store::SeriesKey& series : job.series) {
    ids.push_back(series.id);
    Plan& plan = plans.emplace_back();
    plan.raw_days = {whole};
    if (!note.is_marked) continue;
    auto open = reader_.open_days(series.id, job.memory);
    if (!open) return tl::unexpected<Error>(open.error());
    plan.raw_days = std::move(*open);
  }
  const auto due = reader_.chunks().due_days()->due_of(job.customer, ids,
                                                       {std::max(all.first, *made_from), all.last});
  if (!due) return tl::unexpected<Error>(due.error());
  std::size_t at = 0;
  for (const store::DueDay& day : *due) {
    while (at < ids.size() && ids[at] != day.place.series) ++at;
    CHECK(at < ids.size());  // they come in the order of the question
    // A mark that the roller has not seen yet: the windows of its day may be there, and lack it.
    const bool is_gone = day.place.day <= note.raw_gone_day;
    if (is_gone || day.kind == store::DueKind::kLost) {
      plans[at].last_lost_day = day.place.day;
    } else {
      plans[at].raw_days.push_back({day.place.day, day.place.day});
    }
  }
  for (Plan& plan : plans) plan.raw_days = joined_runs(std::move(plan.raw_days), whole);
  return plans;
}

Result<std::unique_ptr<RolledRun>> RolledReader::run(const CustomerId& customer,
                                                     std::vector<store::SeriesKey> series,
                                                     const rollup::Asked& asked,
                                                     const ReadRange& range,
                                                     lanes::AnswerMemory& memory) const {
  CHECK(series.size() <= RolledRun::kSeriesMax);
  auto run = std::make_unique<RolledRun>(RolledRun::Key{}, *this, customer, asked, range);
  run->series_ = std::move(series);
  if (auto begun = run->begin(memory); !begun) return forward(begun);
  return run;
}

RolledRun::RolledRun(Key /*key*/, const RolledReader& reader, CustomerId customer,
                     const rollup::Asked& asked, const ReadRange& range)
    : reader_(reader), customer_(std::move(customer)), asked_(asked), range_(range) {}
RolledRun::~RolledRun() = default;

// A batch of raw samples may take fewer than it is asked for: then the run ends there.
Result<void> RolledRun::begin(lanes::AnswerMemory& memory) {
  const rolling::RollupNote note = reader_.note(customer_);
  raw_gone_day_ = note.raw_gone_day;
  auto planned = reader_.plans({customer_, series_, asked_, range_, memory}, note);
  if (!planned) return tl::unexpected<Error>(planned.error());
  plans_ = std::move(*planned);
  std::map<store::DayRange, std::vector<std::size_t>> by_days;
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    if (plans_[i].last_lost_day.has_value()) continue;
    for (const store::DayRange& run : plans_[i].raw_days) by_days[run].push_back(i);
  }
  std::size_t end = series_.size();
  for (const auto& [days, places] : by_days) {
    if (raw_.size() == kRawTogether) break;  // those of few are read one by one
    if (places.size() == 1) continue;
    std::vector<store::SeriesKey> keys;
    for (const std::size_t place : places) keys.push_back(series_[place]);
    auto batch = reader_.reader_.batch(customer_, std::move(keys), range_of(range_, days), memory);
    if (!batch) return forward(batch);
    if (batch->left() < places.size()) end = std::min(end, places[batch->left()]);
    raw_.emplace(days, std::move(*batch));
  }
  series_.resize(end);
  plans_.resize(end);
  if (!reader_.is_stored(customer_, asked_.resolution)) return {};
  const TimestampMs width_ms = rollup::width_ms(asked_.resolution);
  const TimestampMs from_ms = stamp_of(range_.from_ms + width_ms - 1);
  const TimestampMs to_ms = stamp_of(range_.to_ms);
  cursor_ = reader_.reader_.chunks().read(customer_, series_, {from_ms, to_ms, asked_.resolution});
  stored_parts_ = std::make_unique<StoredParts>(asked_, range_);
  return {};
}

Result<void> RolledRun::check(lanes::AnswerMemory& memory) const {
  for (const Plan& plan : plans_) {
    if (auto there = check_lost(plan.last_lost_day, asked_.resolution); !there) return there;
  }
  const auto found =
      reader_.has_raw_histograms({customer_, series_, asked_, range_, memory}, plans_);
  if (!found) return forward(found);
  if (*found) return no_windows_of_histograms();
  return {};
}

Result<void> RolledRun::check_met() const {
  if (has_met_histograms_) return no_windows_of_histograms();
  return {};
}

Result<SeriesData> RolledRun::next(lanes::AnswerMemory& memory) {
  const std::size_t place = next_;
  auto data = try_next(memory);
  constexpr int kMore = 2;
  for (int i = 0; i < kMore && data && !data->has_value(); ++i) {  // raw has moved meanwhile
    const auto alone = reader_.run(customer_, {series_[place]}, asked_, range_, memory);
    if (!alone) return tl::unexpected<Error>(alone.error());
    data = (*alone)->try_next(memory);
    has_met_histograms_ = has_met_histograms_ || (*alone)->has_met_histograms_;
  }
  if (!data) return tl::unexpected<Error>(data.error());
  if (data->has_value()) return std::move(**data);
  return fail(ErrorCode::kUnavailable, "storage: raw samples go just now, ask again");
}

// Nothing where what is read of raw may be gone.
Result<std::optional<SeriesData>> RolledRun::try_next(lanes::AnswerMemory& memory) {
  const std::size_t series = next_++;
  const Plan& plan = plans_[series];
  if (plan.last_lost_day.has_value()) return std::nullopt;
  const std::vector<Raw> raw = raw_of(series, memory);
  Rolled rolled;
  if (cursor_ != nullptr) {
    if (auto added = add_stored(series, memory, rolled); !added) return forward(added);
  }
  for (const Raw& one : raw) {
    if (auto added = add_raw(one, memory, rolled); !added) return forward(added);
  }
  // Else raw of these days may have gone while it was read.
  const bool is_whole =
      plan.raw_days.empty() || reader_.note(customer_).raw_gone_day == raw_gone_day_;
  if (!is_whole) return std::nullopt;
  SeriesData data = packed(std::move(rolled.samples), asked_.resolution);
  data.unreadable_rows = rolled.unreadable_rows;
  return data;
}

// All of them, whatever one says: each batch goes on by one series.
std::vector<RolledRun::Raw> RolledRun::raw_of(std::size_t series, lanes::AnswerMemory& memory) {
  std::vector<Raw> all;
  for (const store::DayRange& days : plans_[series].raw_days) {
    const auto batch = raw_.find(days);
    all.push_back(
        {days, batch == raw_.end() ? read_raw(series, days, memory) : batch->second.next(memory)});
  }
  return all;
}

Result<SeriesData> RolledRun::read_raw(std::size_t series, const store::DayRange& days,
                                       lanes::AnswerMemory& memory) const {
  auto batch = reader_.reader_.batch(customer_, {series_[series]}, range_of(range_, days), memory);
  if (!batch) return forward(batch);
  return batch->next(memory);
}

Result<void> RolledRun::add_raw(const Raw& raw, lanes::AnswerMemory& memory, Rolled& rolled) const {
  if (!raw.data) return tl::unexpected<Error>(raw.data.error());
  const ReadRange range = range_of(range_, raw.days);
  // Histograms came since `check`, which found none: they are of the next answer.
  const TimestampMs width_ms = rollup::width_ms(asked_.resolution);
  // No more windows than samples, nor than the range has.
  const std::size_t windows =
      std::min(sample_count(raw.data->chunks), windows_in(range.from_ms, range.to_ms, width_ms));
  if (auto fits = memory.add(windows * kBytesPerWindow); !fits) return fits;
  rolled.unreadable_rows += raw.data->unreadable_rows;
  PartList parts(asked_, rolled.samples);
  return add_windows(*raw.data, range, asked_.resolution, parts);
}

Result<std::vector<store::ChunkRow>> RolledRun::next_rows(std::size_t series) {
  // Rows of a series whose raw has moved, which was read anew, are passed over.
  while (!is_over_ && (!ahead_ || ahead_->series < series)) {
    auto rows = cursor_->next();
    is_over_ = rows && rows->empty();
    ahead_.emplace(Page{cursor_->at(), std::move(rows)});
  }
  if (is_over_ || ahead_->series != series) return std::vector<store::ChunkRow>();
  auto rows = std::move(ahead_->rows);
  ahead_.reset();
  return rows;
}

Result<void> RolledRun::add_stored(std::size_t series, lanes::AnswerMemory& memory,
                                   Rolled& rolled) {
  StoredParts& parts = *stored_parts_;
  parts.begin(plans_[series].raw_days);
  for (;;) {
    const auto page = next_rows(series);
    if (!page) return tl::unexpected<Error>(page.error());
    if (page->empty()) break;
    for (const store::ChunkRow& row : *page) {
      const std::size_t windows =
          windows_in(row.first_ms, row.last_ms, rollup::width_ms(asked_.resolution));
      auto fits = memory.add(windows * (sizeof(StoredPart) + kBytesPerWindow));
      if (!fits) return fits;
      auto added = parts.add(row);
      if (!added && added.error().code != ErrorCode::kCorrupt) return added;
      if (!added) ++rolled.unreadable_rows;
    }
  }
  parts.give(rolled.samples);
  has_met_histograms_ = has_met_histograms_ || parts.has_met_histograms();
  return {};
}

}  // namespace vigia::storage::read
