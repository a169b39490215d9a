#include "libs/deltas/stream_state.hpp"

#include <algorithm>
#include <bit>

namespace vigia::deltas {
namespace {

constexpr std::uint64_t kIsDouble = 1;
constexpr std::uint64_t kIsExponential = 2;

}  // namespace

bool KnownTimes::is_new(std::uint64_t time_ns) const {
  return time_ns > horizon_ && !std::binary_search(times_.data(), end(), time_ns);
}

void KnownTimes::add(std::uint64_t time_ns) {
  if (count_ == kRememberedMax) {
    if (time_ns < times_.front()) {
      horizon_ = std::max(horizon_, time_ns);
      return;
    }
    horizon_ = times_.front();
    std::copy(times_.begin() + 1, times_.end(), times_.begin());
    --count_;
    times_[count_] = 0;
  }
  const auto last = times_.begin() + static_cast<std::ptrdiff_t>(count_);
  const auto place = std::lower_bound(times_.begin(), last, time_ns);
  std::copy_backward(place, last, last + 1);
  *place = time_ns;
  ++count_;
}

void KnownTimes::encode(std::string& out) const {
  append_varint(out, horizon_);
  append_varint(out, count_);
  std::uint64_t before = horizon_;
  for (std::size_t index = 0; index < count_; ++index) {
    append_varint(out, times_[index] - before);
    before = times_[index];
  }
}

KnownTimes KnownTimes::decode(ByteReader& reader) {
  KnownTimes known;
  known.horizon_ = reader.read_varint();
  const std::uint64_t count = reader.read_varint();
  if (count > kRememberedMax) (void)reader.read_bytes(SIZE_MAX);
  std::uint64_t time = known.horizon_;
  while (reader.ok() && known.count_ < count) {
    time += reader.read_varint();
    known.times_[known.count_++] = time;
  }
  return known;
}

void StreamState::restart() {
  StreamState anew;
  anew.written_ns = written_ns;
  anew.known = known;
  *this = std::move(anew);
}

std::size_t StreamState::bytes() const {
  // Beside it in its table: the key and some pointers.
  return sizeof(StreamState) + 2 * sizeof(StreamKey) + buckets.capacity() * sizeof(std::uint64_t) +
         bounds.capacity() + (is_exponential ? ExponentialSum::kBytesMax : 0);
}

void StreamState::encode(std::string& out) const {
  append_varint(out, start_ns);
  append_varint(out, written_ns);
  known.encode(out);
  append_varint(out, (is_double ? kIsDouble : 0) | (is_exponential ? kIsExponential : 0));
  append_u64(out, static_cast<std::uint64_t>(whole));
  append_u64(out, std::bit_cast<std::uint64_t>(real));
  append_varint(out, count);
  append_varint(out, buckets.size());
  for (const std::uint64_t bucket : buckets) append_varint(out, bucket);
  append_sized(out, bounds);
  if (is_exponential) exponential.encode(out);
}

StreamState StreamState::decode(ByteReader& reader) {
  StreamState state;
  state.start_ns = reader.read_varint();
  state.written_ns = reader.read_varint();
  state.known = KnownTimes::decode(reader);
  const std::uint64_t flags = reader.read_varint();
  state.is_double = (flags & kIsDouble) != 0;
  state.is_exponential = (flags & kIsExponential) != 0;
  state.whole = static_cast<std::int64_t>(reader.read_u64());
  state.real = std::bit_cast<double>(reader.read_u64());
  state.count = reader.read_varint();
  const std::uint64_t buckets = reader.read_varint();
  // Each is a byte at least.
  if (buckets > reader.rest().size()) (void)reader.read_bytes(SIZE_MAX);
  for (std::uint64_t index = 0; reader.ok() && index < buckets; ++index)
    state.buckets.push_back(reader.read_varint());
  state.bounds = std::string(reader.read_sized());
  if (state.is_exponential) state.exponential = ExponentialSum::decode(reader);
  return state;
}

void append_change(std::string& out, const StreamChange& change) {
  append_u64(out, change.key.low);
  append_u64(out, change.key.high);
  out.push_back(change.state == nullptr ? '\0' : '\1');
  if (change.state != nullptr) change.state->encode(out);
}

}  // namespace vigia::deltas
