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
  auto queries = find(fence, request, *memory, *limit);
  if (!queries) return forward(queries);
  return std::make_unique<ChunkStream>(reader_, damage_, std::move(*queries), std::move(memory),
                                       std::move(limit));
}

Result<SamplesAnswer> RemoteRead::samples(std::string_view customer, const Fence& fence,
                                          const ReadRequest& request,
                                          const store::WorkLimit& limit) const {
  SamplesAnswer answer;
  answer.memory = std::make_shared<lanes::AnswerMemory>(answers_, customer);
  std::size_t found_bytes = 0;
  {
    const auto queries = find(fence, request, *answer.memory, limit);
    if (!queries) return forward(queries);
    found_bytes = answer.memory->used();
    auto body = make_samples(*queries, *answer.memory, limit);
    if (!body) return forward(body);
    answer.body = std::move(*body);
  }
  answer.memory->release(found_bytes);
  return answer;
}

Result<std::vector<FoundQuery>> RemoteRead::find(const Fence& fence, const ReadRequest& request,
                                                 lanes::AnswerMemory& memory,
                                                 const store::WorkLimit& limit) const {
  std::vector<FoundQuery> found;
  std::size_t left = limits_.series_max;
  const TimestampMs kept_from_ms = kept_from_ ? kept_from_(Resolution::kRaw) : INT64_MIN;
  for (wire::remote_read::Query query : request.queries) {
    const auto matchers = store::compile_matchers(query.matchers);
    if (!matchers) return tl::unexpected<Error>(matchers.error());
    query.start_ms = std::max(query.start_ms, kept_from_ms);
    if (query.end_ms < query.start_ms) {  // its answer stands at its place all the same
      found.push_back({std::move(query), kept_from_ms, {}});
      continue;
    }
    const SeriesQuestion question{fence, *matchers, days_between(query.start_ms, query.end_ms),
                                  left};
    auto series = select_series(catalog_, question, memory, limit);
    if (!series) return forward(series);
    left -= series->size();
    found.push_back({std::move(query), kept_from_ms, std::move(*series)});
  }
  return found;
}

Result<std::string> RemoteRead::make_samples(const std::vector<FoundQuery>& queries,
                                             lanes::AnswerMemory& memory,
                                             const store::WorkLimit& limit) const {
  SamplesResponse response;
  std::size_t made = 0;  // as it was added to the memory
  for (const FoundQuery& query : queries) {
    response.begin_query();
    for (QueryReader reader(reader_, query); reader.has_next();) {
      if (auto checked = limit.check(); !checked) return forward(checked);
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
