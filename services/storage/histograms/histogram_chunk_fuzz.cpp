// Any bytes as a chunk of histograms: no crash, no more than was promised; and what was read and is
// sound, packed again, reads the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libs/base/check.hpp"
#include "services/storage/histograms/histogram_reader.hpp"
#include "services/storage/histograms/histogram_writer.hpp"
#include "services/storage/histograms/testing/random_histograms.hpp"

namespace {

using vigia::storage::histograms::HistogramReader;
using vigia::storage::histograms::HistogramWriter;
using vigia::storage::histograms::testing::Timed;

class PackedAgain {
 public:
  explicit PackedAgain(bool is_float) : is_float_(is_float) {}
  void add(const Timed& one) {
    if (!writer_.append(one.time_ms, one.histogram)) {
      check();
      CHECK(writer_.append(one.time_ms, one.histogram));
    }
    open_.push_back(one);
  }
  void check() {
    if (open_.empty()) return;
    const std::string bytes = writer_.take();
    HistogramReader reader(is_float_, bytes);
    CHECK(reader.samples() == open_.size());
    for (const Timed& one : open_) {
      Timed again;
      CHECK(reader.next(again.time_ms, again.histogram));
      CHECK(again.time_ms == one.time_ms);
      CHECK(vigia::storage::histograms::testing::is_same(again.histogram, one.histogram));
    }
    open_.clear();
  }

 private:
  bool is_float_;
  HistogramWriter writer_;
  std::vector<Timed> open_;
};

void check_chunk(bool is_float, std::string_view bytes) {
  HistogramReader reader(is_float, bytes);
  PackedAgain again(is_float);
  std::size_t read = 0;
  for (Timed one; reader.next(one.time_ms, one.histogram); ++read) {
    const auto message = vigia::storage::histograms::encode_histogram(one.histogram, one.time_ms);
    CHECK(message.size() <= reader.message_bytes_max());
    CHECK(one.histogram.positive.deltas.size() + one.histogram.positive.counts.size() <=
          8 * bytes.size());
    const auto sound = vigia::storage::histograms::sound_histogram(message);
    if (sound) again.add({one.time_ms, *sound});
  }
  again.check();
  CHECK(read <= reader.samples());
  CHECK(reader.is_damaged() || read == reader.samples());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_chunk(false, bytes);
  check_chunk(true, bytes);
  return 0;
}
