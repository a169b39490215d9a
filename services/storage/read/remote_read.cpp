#include "services/storage/read/remote_read.hpp"

#include <algorithm>
#include <utility>

#include "services/storage/histograms/native_histogram.hpp"

namespace vigia::storage::read {

using wire::remote_read::ReadRequest;
using wire::remote_read::SamplesResponse;

namespace {

// Of samples: made, put together, compressed.
constexpr std::size_t kSamplesCopies = 3;

}  // namespace

Result<std::unique_ptr<ChunkStream>> RemoteRead::chunks(
    std::string_view customer, const Fence& fence, const ReadRequest& request,
    std::shared_ptr<const store::WorkLimit> limit) const {
  auto memory = std::make_shared<lanes::AnswerMemory>(answers_, customer);
  auto readers = make_readers(memory);
  auto queries = find(fence, request, {*readers, *memory, *limit});
  if (!queries) return forward(queries);
  return std::make_unique<ChunkStream>(std::move(readers), damage_, std::move(*queries),
                                       std::move(memory), std::move(limit));
}

std::shared_ptr<RequestReaders> RemoteRead::make_readers(
    std::shared_ptr<lanes::AnswerMemory> memory) const {
  auto talk = elsewhere_ == nullptr ? nullptr : elsewhere_->begin();
  return std::make_shared<RequestReaders>(reader_, rolled_, std::move(talk), std::move(memory));
}

Result<SamplesAnswer> RemoteRead::samples(std::string_view customer, const Fence& fence,
                                          const ReadRequest& request,
                                          const store::WorkLimit& limit) const {
  SamplesAnswer answer;
  answer.memory = std::make_shared<lanes::AnswerMemory>(answers_, customer);
  std::size_t found_bytes = 0;
  {
    const auto readers = make_readers(answer.memory);
    const Work work{*readers, *answer.memory, limit};
    const auto queries = find(fence, request, work);
    if (!queries) return forward(queries);
    found_bytes = answer.memory->used() - readers->look().held_bytes();
    auto body = make_samples(*queries, work);
    if (!body) return forward(body);
    answer.body = std::move(*body);
    answer.lacks_some = readers->look().settle();
  }
  answer.memory->release(found_bytes);
  return answer;
}

Result<std::vector<FoundQuery>> RemoteRead::find(const Fence& fence, const ReadRequest& request,
                                                 const Work& work) const {
  std::vector<FoundQuery> found;
  std::size_t left = limits_.series_max;
  for (const wire::remote_read::Query& query : request.queries) {
    FoundQuery ranged{query, std::nullopt, {}, {}, {}, nullptr};
    const auto asked = take_rollup_matcher(ranged.query.matchers);
    if (!asked) return forward(asked);
    ranged.rollup = *asked;
    const auto matchers = store::compile_matchers(ranged.query.matchers);
    if (!matchers) return tl::unexpected<Error>(matchers.error());
    const auto customers = customers_for(catalog_, fence, *matchers);
    if (auto done = find_ranges(ranged, customers); !done) return forward(done);
    const ReadRange& range = ranged.range;
    if (range.from_ms <= range.to_ms) {  // else its answer stands at its place all the same
      const SeriesQuestion question{fence, *matchers,
                                    [&](const CustomerId& customer) {
                                      const ReadRange& own = ranged.range_of(customer);
                                      return days_between(own.from_ms, own.to_ms);
                                    },
                                    left};
      auto series = select_series(catalog_, question, work.memory, work.limit);
      if (!series) return forward(series);
      left -= series->size();
      ranged.series = std::move(*series);
      if (ranged.rollup.has_value() && !query.wants_labels_alone) {
        ranged.ahead =
            std::make_shared<WindowsAhead>(limits_.ahead_bytes_max, limits_.ahead_time_max);
        if (auto all = check_windows(ranged, work); !all) return forward(all);
      }
    }
    found.push_back(std::move(ranged));
  }
  return found;
}

// Before the first byte is sent: after it nobody could be told why there is no more. A row that
// cannot be read costs itself, when it is.
Result<void> RemoteRead::check_windows(const FoundQuery& found, const Work& work) const {
  const std::vector<SelectedSeries>& series = found.series;
  for (std::size_t begin = 0; begin < series.size();) {
    if (auto checked = work.limit.check(); !checked) return checked;
    const CustomerId& customer = series[begin].customer;
    const ReadRange& range = found.range_of(customer);
    auto looked = work.readers.look().prepare(series, begin, range.from_ms, range.to_ms);
    if (!looked) return looked;
    std::vector<store::SeriesKey> keys;
    for (std::size_t i = begin; i < series.size() && keys.size() < RolledRun::kSeriesMax; ++i) {
      if (series[i].customer != customer) break;
      if (!work.readers.look().knows(customer, series[i].id)) break;
      keys.push_back(key_of(series[i]));
    }
    const auto read = read_ahead(found, customer, keys, work);
    if (!read) return forward(read);
    begin += keys.size();
    keys.erase(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(*read));
    if (keys.empty()) continue;
    const lanes::ScratchMemory scratch(work.memory);
    auto all = work.readers.rolled().check(customer, keys, *found.rollup, range, work.memory);
    if (!all) return all;
  }
  return {};
}

// What has no room or no time now is read when its turn comes, and what is wrong with it is told of
// then.
Result<std::size_t> RemoteRead::read_ahead(const FoundQuery& found, const CustomerId& customer,
                                           const std::vector<store::SeriesKey>& keys,
                                           const Work& work) const {
  WindowsAhead& ahead = *found.ahead;
  if (ahead.is_full()) return 0U;
  const auto run = work.readers.rolled().run(customer, keys, *found.rollup,
                                             found.range_of(customer), work.memory);
  std::size_t count = 0;
  if (run) {
    const lanes::ScratchMemory scratch(work.memory);
    if (auto checked = (*run)->check(work.memory); !checked) return forward(checked);
  }
  while (run && (*run)->left() > 0 && !ahead.is_full()) {
    if (auto checked = work.limit.check(); !checked) return forward(checked);
    auto data = [&] {
      const lanes::ScratchMemory scratch(work.memory);
      return (*run)->next(work.memory);
    }();
    if (auto met = (*run)->check_met(); !met) return forward(met);
    if (!data && data.error().code != ErrorCode::kCorrupt) break;
    if (ahead.add(std::move(data), work.memory)) ++count;
  }
  // Places ahead have no gaps.
  if (count < keys.size()) ahead.set_full();
  return count;
}

// One customer's is his; of several the range is that which holds all of theirs.
Result<void> RemoteRead::find_ranges(FoundQuery& found,
                                     std::span<const CustomerId> customers) const {
  found.range = {found.query.start_ms, found.query.end_ms, Resolution::kRaw, INT64_MIN};
  if (found.rollup.has_value() && !found.query.wants_labels_alone) {
    found.range =
        samples_of_windows(found.query.start_ms, found.query.end_ms, found.rollup->resolution);
  }
  std::optional<KeptQuery> all;
  for (const CustomerId& customer : customers) {
    const auto own = kept_of(customer, found);
    if (!own) return forward(own);
    if (!all.has_value()) all = *own;
    all->start_ms = std::min(all->start_ms, own->start_ms);
    all->range.from_ms = std::min(all->range.from_ms, own->range.from_ms);
    all->range.kept_from_ms = std::min(all->range.kept_from_ms, own->range.kept_from_ms);
    if (customers.size() > 1) found.own.emplace(customer, own->range);
  }
  if (!all.has_value()) return {};
  found.query.start_ms = all->start_ms;
  found.range = all->range;
  return {};
}

Result<RemoteRead::KeptQuery> RemoteRead::kept_of(const CustomerId& customer,
                                                  const FoundQuery& found) const {
  if (found.rollup.has_value() && !found.query.wants_labels_alone) {
    return kept_windows_of(customer, found);
  }
  const TimestampMs kept_ms = kept_from_ms(customer, Resolution::kRaw);
  const TimestampMs start_ms = std::max(found.query.start_ms, kept_ms);
  return KeptQuery{start_ms, {start_ms, found.query.end_ms, Resolution::kRaw, kept_ms}};
}

// What lies before raw is kept goes, or has gone: of a window that begins there not all is read.
Result<RemoteRead::KeptQuery> RemoteRead::kept_windows_of(const CustomerId& customer,
                                                          const FoundQuery& found) const {
  const Resolution resolution = found.rollup->resolution;
  const TimestampMs raw_kept_ms = kept_from_ms(customer, Resolution::kRaw);
  KeptQuery kept{found.query.start_ms, {}};
  TimestampMs whole_from_ms = raw_kept_ms;
  if (const auto made_from_ms = rolled_.made_from_ms(customer, resolution);
      made_from_ms.has_value()) {
    whole_from_ms = *made_from_ms;
    const TimestampMs rolled_kept_ms = kept_from_ms(customer, resolution);
    // What goes before raw does is refused: there is an answer, of raw.
    if (rolled_kept_ms > raw_kept_ms) whole_from_ms = std::max(whole_from_ms, rolled_kept_ms);
    kept.start_ms = std::max(kept.start_ms, std::min(rolled_kept_ms, raw_kept_ms));
  }
  kept.range = samples_of_windows(kept.start_ms, found.query.end_ms, resolution);
  if (kept.range.from_ms <= kept.range.to_ms && kept.range.from_ms < whole_from_ms) {
    return no_windows_before(whole_from_ms, resolution);
  }
  return kept;
}

Result<std::string> RemoteRead::make_samples(const std::vector<FoundQuery>& queries,
                                             const Work& work) const {
  lanes::AnswerMemory& memory = work.memory;
  SamplesResponse response;
  std::size_t made = 0;  // as it was added to the memory
  for (const FoundQuery& query : queries) {
    response.begin_query();
    for (QueryReader reader(work.readers, query); reader.has_next();) {
      if (auto checked = work.limit.check(); !checked) return forward(checked);
      auto added = add_samples(reader, response, memory);
      if (!added && !damage_.takes(added.error())) return forward(added);
      const std::size_t needed = response.bytes() * kSamplesCopies;
      if (auto fits = memory.add(needed - made); !fits) return forward(fits);
      made = needed;
    }
  }
  std::string body = response.finish();
  memory.release(made);
  if (auto fits = memory.add(body.size()); !fits) return forward(fits);
  return body;
}

Result<void> RemoteRead::add_samples(QueryReader& reader, SamplesResponse& response,
                                     lanes::AnswerMemory& memory) const {
  const wire::remote_read::Query& query = reader.query();
  if (query.wants_labels_alone) {  // no chunk is touched
    reader.pass();
    response.add_series(reader.series().labels, {}, {});
    return {};
  }
  if (auto ready = reader.prepare(memory); !ready) return ready;
  const lanes::ScratchMemory scratch(memory);
  const auto data = reader.next(memory);
  if (!data) return tl::unexpected<Error>(data.error());
  damage_.note_rows(data->unreadable_rows);
  // Decoded and encoded again: known before it is done.
  auto fits = memory.add(sample_count(data->chunks) * kBytesPerSample);
  if (!fits) return fits;
  const auto samples = samples_of(data->chunks, query.start_ms, query.end_ms);
  if (!samples) return forward(samples);
  std::vector<std::string_view> histograms;
  for (const chunk::HistogramSample& sample : data->histograms) {
    if (histograms::sound_histogram(sample.encoded)) histograms.push_back(sample.encoded);
  }
  damage_.note_histograms(data->histograms.size() - histograms.size());
  if (samples->empty() && histograms.empty()) return {};
  response.add_series(reader.series().labels, *samples, histograms);
  return {};
}

}  // namespace vigia::storage::read
