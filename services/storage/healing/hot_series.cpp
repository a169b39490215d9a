#include "services/storage/healing/hot_series.hpp"

#include <algorithm>

#include "libs/chunk/chunk_reader.hpp"
#include "libs/wire/remote_read/read_frames.hpp"
#include "services/storage/healing/made_series.hpp"

namespace vigia::storage::healing {
namespace {

using wire::remote_read::ChunkedSeries;
using wire::remote_read::ChunkView;

constexpr std::uint8_t kXor = 1;  // Chunk.Encoding on the wire

std::uint64_t& count_of(RefusedCounts& refused, Refused why) {
  return refused[static_cast<std::size_t>(why)];
}

// As the chunk's head says, of any encoding; at least one, so that nothing is refused unseen.
std::uint64_t claimed_samples(const ChunkView& chunk) {
  return std::max<std::uint64_t>(chunk::ChunkReader(chunk.data).samples(), 1);
}

std::uint64_t claimed_samples(const ChunkedSeries& series) {
  std::uint64_t samples = 0;
  for (const ChunkView& chunk : series.chunks) samples += claimed_samples(chunk);
  return std::max<std::uint64_t>(samples, 1);
}

// All of it or nothing: of a chunk with times that go back it is not known what is wrong.
bool read_chunk(const ChunkView& chunk, std::vector<Sample>& samples) {
  const std::size_t before = samples.size();
  chunk::ChunkReader reader(chunk.data);
  Sample sample;
  bool is_sound = true;
  while (is_sound && reader.next(sample)) {
    is_sound = samples.size() == before || samples.back().timestamp_ms < sample.timestamp_ms;
    samples.push_back(sample);
  }
  if (is_sound && !reader.is_damaged()) return true;
  samples.resize(before);
  return false;
}

// By time, and of several of one time the first.
void put_in_order(std::vector<Sample>& samples) {
  const auto is_before = [](const Sample& left, const Sample& right) {
    return left.timestamp_ms < right.timestamp_ms;
  };
  if (!std::is_sorted(samples.begin(), samples.end(), is_before)) {
    std::stable_sort(samples.begin(), samples.end(), is_before);
  }
  const auto is_same = [](const Sample& left, const Sample& right) {
    return left.timestamp_ms == right.timestamp_ms;
  };
  samples.erase(std::unique(samples.begin(), samples.end(), is_same), samples.end());
}

void cut_to(const Stretch& stretch, std::vector<Sample>& samples, RefusedCounts& refused) {
  const std::size_t outside = std::erase_if(samples, [&](const Sample& sample) {
    return sample.timestamp_ms < stretch.from_ms || sample.timestamp_ms > stretch.to_ms;
  });
  count_of(refused, Refused::kOutside) += outside;
}

std::vector<Sample> samples_of(const Stretch& stretch, const ChunkedSeries& series,
                               RefusedCounts& refused) {
  std::vector<Sample> samples;
  for (const ChunkView& chunk : series.chunks) {
    const std::uint64_t claimed = claimed_samples(chunk);
    if (chunk.encoding != kXor) {
      count_of(refused, Refused::kHistogram) += claimed;
    } else if (samples.size() + claimed > kSeriesSamplesMax) {
      count_of(refused, Refused::kTooMany) += claimed;
    } else if (std::vector<Sample> some; read_chunk(chunk, some)) {
      cut_to(stretch, some, refused);
      samples.insert(samples.end(), some.begin(), some.end());
    } else {
      count_of(refused, Refused::kDamaged) += claimed;
    }
  }
  put_in_order(samples);
  return samples;
}

}  // namespace

std::string_view to_string(Refused refused) {
  constexpr std::array<std::string_view, kRefusedKinds> kNames = {
      "foreign", "unasked", "outside", "damaged", "histogram", "too_many", "invalid"};
  return kNames[static_cast<std::size_t>(refused)];
}

Result<void> each_hot_series(const CustomerId& customer, const Stretch& stretch,
                             std::string_view stream, RefusedCounts& refused,
                             const TakeSeries& take) {
  wire::remote_read::FrameReader reader(stream);
  while (reader.has_next()) {
    auto frame = reader.next();
    if (!frame) return forward(frame);
    for (ChunkedSeries& series : frame->series) {
      if (series.labels.get(kCustomerLabel) != label_of(customer)) {
        count_of(refused, Refused::kForeign) += claimed_samples(series);
        continue;
      }
      if (!is_made(customer, series.labels)) {
        count_of(refused, Refused::kUnasked) += claimed_samples(series);
        continue;
      }
      HotSeries taken{{}, samples_of(stretch, series, refused)};
      if (taken.samples.empty()) continue;
      taken.labels = std::move(series.labels);
      if (auto done = take(std::move(taken)); !done) return done;
    }
  }
  return {};
}

std::vector<Sample> missing_in(const std::vector<Sample>& cold, const std::vector<Sample>& hot) {
  std::vector<Sample> missing;
  std::set_difference(hot.begin(), hot.end(), cold.begin(), cold.end(), std::back_inserter(missing),
                      [](const Sample& left, const Sample& right) {
                        return left.timestamp_ms < right.timestamp_ms;
                      });
  return missing;
}

}  // namespace vigia::storage::healing
