// Any bytes as a stream of frames: an error, or frames that, written again, read the same. The
// first byte says how small the bounds are, so that short inputs reach them.
#include <cstddef>
#include <cstdint>

#include "libs/base/check.hpp"
#include "libs/wire/remote_read/read_frames.hpp"

namespace {

namespace remote_read = vigia::wire::remote_read;

void check_again(const remote_read::ReadFrame& frame) {
  for (const remote_read::ChunkedSeries& series : frame.series) {
    if (series.labels.empty() && series.chunks.empty()) continue;  // nothing is written of it
    remote_read::ChunksResponse response;
    response.add_series(frame.query_index, series.labels, series.chunks);
    const std::string stream = response.take();
    remote_read::FrameLimits wide;  // empty fields are written, too
    wide.frame_bytes_max *= 4;
    wide.label_bytes_max *= 4;
    remote_read::FrameReader reader(stream, wide);
    const auto again = reader.next();
    CHECK(again.has_value());
    CHECK(!reader.has_next());
    CHECK(again->query_index == frame.query_index);
    CHECK(again->series.size() == 1);
    CHECK(again->series[0].labels == series.labels);
    CHECK(again->series[0].chunks.size() == series.chunks.size());
    for (std::size_t i = 0; i < series.chunks.size(); ++i) {
      CHECK(again->series[0].chunks[i].data == series.chunks[i].data);
      CHECK(again->series[0].chunks[i].encoding == series.chunks[i].encoding);
      CHECK(again->series[0].chunks[i].min_ms == series.chunks[i].min_ms);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  remote_read::FrameLimits limits;
  if (data[0] != 0) {
    limits.frame_bytes_max = 64 + data[0];
    limits.series_max = 2;
    limits.labels_max = 3;
    limits.label_bytes_max = 32;
    limits.chunks_max = 4;
  }
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  remote_read::FrameReader reader(stream, limits);
  while (reader.has_next()) {
    const auto frame = reader.next();
    if (!frame.has_value()) {
      CHECK(!reader.has_next());
      break;
    }
    check_again(*frame);
  }
  return 0;
}
