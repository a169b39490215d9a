#include "libs/net/gzip_writer.hpp"

#include <algorithm>
#include <limits>

#include <zlib.h>

#include "libs/base/check.hpp"

namespace vigia::net {
namespace {

constexpr int kGzipWindowBits = 15 + 16;
constexpr int kMemoryLevel = 8;
constexpr std::size_t kRoomBytes = 64U << 10U;

}  // namespace

struct GzipWriter::State {
  z_stream stream{};

  State() {
    CHECK(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindowBits, kMemoryLevel,
                       Z_DEFAULT_STRATEGY) == Z_OK);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { deflateEnd(&stream); }

  /// All that comes of what the stream has been given.
  std::string run(int flush) {
    std::string output;
    do {
      const std::size_t used = output.size();
      output.resize(used + kRoomBytes);
      stream.next_out = reinterpret_cast<Bytef*>(output.data() + used);
      stream.avail_out = kRoomBytes;
      const int code = deflate(&stream, flush);
      CHECK(code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR);
      output.resize(output.size() - stream.avail_out);
    } while (stream.avail_out == 0);
    return output;
  }
};

GzipWriter::GzipWriter() : state_(std::make_unique<State>()) {}
GzipWriter::GzipWriter(GzipWriter&&) noexcept = default;
GzipWriter& GzipWriter::operator=(GzipWriter&&) noexcept = default;
GzipWriter::~GzipWriter() = default;

std::string GzipWriter::add(std::string_view bytes) {
  CHECK(bytes.size() <= std::numeric_limits<uInt>::max());
  // zlib's next_in is not const without ZLIB_CONST, but is only read.
  state_->stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  state_->stream.avail_in = static_cast<uInt>(bytes.size());
  return state_->run(Z_NO_FLUSH);
}

std::string GzipWriter::finish() {
  state_->stream.avail_in = 0;
  return state_->run(Z_FINISH);
}

}  // namespace vigia::net
