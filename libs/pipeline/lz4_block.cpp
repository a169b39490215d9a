#include "libs/pipeline/lz4_block.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace vigia::pipeline {
namespace {

// Of the format: a match begins 12 bytes before the end at the latest, and the last 5 bytes are
// literals.
constexpr std::ptrdiff_t kMatchBeginsBeforeEnd = 12;
constexpr std::ptrdiff_t kLastLiterals = 5;
constexpr std::size_t kDistanceMax = 65'535;
constexpr std::size_t kMatchMin = 4;    // of the format; a token counts from here
constexpr std::size_t kLengthEsc = 15;  // a token's half that says that more bytes follow

constexpr int kWindow = 64;  // bytes looked at together: bits of a mask
// A match that saves less than it costs to write and read is left among the literals.
constexpr int kRun = 6;
/// A run that begins behind this many bytes of a window shows in the next one.
constexpr int kStep = kWindow - kRun + 1;
/// Until here a window may begin: a run in it then keeps the format's distance from the end.
constexpr std::ptrdiff_t kTail = std::ptrdiff_t{kWindow} + kMatchBeginsBeforeEnd;

/// A distance is given up where so many bytes at the end of a window do not repeat.
constexpr int kGapMax = 24;

constexpr unsigned kTableBits = 12;
// A distance is kept while it explains this share of what passes; of fewer bytes nothing is said.
constexpr std::size_t kJudgedBytes = 256;
constexpr std::size_t kKeptEighths = 6;
// Bytes of a window that make a candidate good at once; the best of others is taken when as many
// places have been looked at.
constexpr int kGoodAtOnce = 16;
constexpr int kPlacesMax = 4;

std::uint64_t load_u64(const char* at) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// Bit i: a[i] == b[i].
#if defined(__SSE2__)
std::uint32_t equal_16(const char* a, const char* b) {
  const __m128i left = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a));
  const __m128i right = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(left, right)));
}
#else
std::uint32_t equal_16(const char* a, const char* b) {
  std::uint32_t mask = 0;
  for (unsigned i = 0; i < 16; ++i) mask |= static_cast<std::uint32_t>(a[i] == b[i]) << i;
  return mask;
}
#endif

std::uint64_t equal_64(const char* a, const char* b) {
  const std::uint64_t low = equal_16(a, b) | std::uint64_t{equal_16(a + 16, b + 16)} << 16U;
  const std::uint64_t high = equal_16(a + 32, b + 32) | std::uint64_t{equal_16(a + 48, b + 48)}
                                                            << 16U;
  return low | high << 32U;
}

/// Bit i: kRun set bits begin there.
std::uint64_t run_begins(std::uint64_t mask) {
  static_assert(kRun == 6);
  mask &= mask >> 1U;
  mask &= mask >> 2U;
  return mask & (mask >> 2U);
}

char* put_length(char* out, std::size_t rest) {
  for (; rest >= 255; rest -= 255) *out++ = static_cast<char>(255);
  *out++ = static_cast<char>(rest);
  return out;
}

/// A token, and the literals before its match.
char* put_literals(char* out, const char* literals, std::size_t count, std::size_t match_half) {
  *out++ = static_cast<char>((std::min(count, kLengthEsc) << 4U) | match_half);
  if (count >= kLengthEsc) out = put_length(out, count - kLengthEsc);
  std::memcpy(out, literals, count);
  return out + count;
}

char* put_match(char* out, const char* literals, const char* match, const char* match_end,
                std::size_t distance) {
  const auto count = static_cast<std::size_t>(match - literals);
  const std::size_t length = static_cast<std::size_t>(match_end - match) - kMatchMin;
  const std::size_t half = std::min(length, kLengthEsc);
  if (count < kLengthEsc) {
    *out++ = static_cast<char>((count << 4U) | half);
    std::memcpy(out, literals, 16);  // a size that is known costs less than a call
    out += count;
  } else {
    out = put_literals(out, literals, count, half);
  }
  *out++ = static_cast<char>(distance & 0xffU);
  *out++ = static_cast<char>(distance >> 8U);
  return length < kLengthEsc ? out : put_length(out, length - kLengthEsc);
}

class Encoder {
 public:
  Encoder(std::string_view plain, char* room)
      : begin_(plain.data()),
        end_(begin_ + plain.size()),
        at_(begin_),
        literals_(begin_),
        out_(room) {}

  std::size_t run() {
    const char* const room = out_;
    if (end_ - begin_ > kTail) {
      const char* const last = end_ - kTail;
      while (at_ < last) {
        if (distance_ == 0)
          find_distance();
        else
          take_window();
      }
    }
    out_ = put_literals(out_, literals_, static_cast<std::size_t>(end_ - literals_), 0);
    return static_cast<std::size_t>(out_ - room);
  }

 private:
  std::uint32_t& place_of(const char* at) {
    return table_[(load_u64(at) * 0x9E3779B97F4A7C15ULL) >> (64 - kTableBits)];
  }
  void remember(const char* at) { place_of(at) = static_cast<std::uint32_t>(at - begin_); }

  /// Looks at one place for a distance at which the bytes from here on repeat.
  void find_distance() {
    std::uint32_t& place = place_of(at_);
    const char* const candidate = begin_ + place;
    place = static_cast<std::uint32_t>(at_ - begin_);
    const auto distance = static_cast<std::size_t>(at_ - candidate);
    ++places_;
    if (distance != 0 && distance <= kDistanceMax && load_u64(candidate) == load_u64(at_)) {
      const int score = std::popcount(equal_64(at_, candidate));
      if (score > best_score_) {
        best_score_ = score;
        best_ = distance;
        best_at_ = at_;
      }
    }
    if (best_score_ >= kGoodAtOnce || (best_score_ > 0 && places_ >= kPlacesMax)) {
      take_best();
    } else {
      // The longer nothing is found, the larger the steps: bytes without repetition cost little.
      at_ += std::min(1 + places_ / kPlacesMax, kWindow);
    }
  }

  /// Goes back to where the repetition begins; eight bytes at least repeat there, so that every
  /// search that ends here goes forward.
  void take_best() {
    distance_ = best_;
    at_ = best_at_;
    while (at_ > literals_ && static_cast<std::size_t>(at_ - begin_) > distance_ &&
           at_[-1] == *(at_ - distance_ - 1))
      --at_;
    best_score_ = places_ = 0;
    judged_ = matched_ = 0;
  }

  /// Writes the matches that the next 64 bytes have at the distance under way. Where the next
  /// window begins is told by branches, which the processor foresees, and not by arithmetic, which
  /// it waits for: that is a third of the time.
  void take_window() {
    const char* const window = at_;
    const std::size_t distance = distance_;
    const std::uint64_t equal = equal_64(window, window - distance);
    remember(window);
    // What is written may be any member, as far as the compiler knows: so these are none.
    const char* literals = literals_;
    char* out = out_;
    std::size_t matched = 0;
    int to = 0;
    for (std::uint64_t begins = run_begins(equal); begins != 0; begins &= ~std::uint64_t{0} << to) {
      const int from = std::countr_zero(begins);
      to = from + std::countr_one(equal >> from);
      if (to == kWindow) {
        literals_ = end_of_match(window + kWindow, distance);
        out_ = put_match(out, literals, window + from, literals_, distance);
        at_ = literals_;
        judge(static_cast<std::size_t>(at_ - window),
              matched + static_cast<std::size_t>(at_ - window - from));
        return;
      }
      out = put_match(out, literals, window + from, window + to, distance);
      literals = window + to;
      matched += static_cast<std::size_t>(to - from);
    }
    out_ = out;
    literals_ = literals;
    if (to < kWindow - kGapMax) {  // what follows has another length than its like before
      distance_ = 0;
      at_ = window + to;
      return;
    }
    at_ = window + kStep;
    if (to > kStep) at_ = window + to;
    judge(kStep, matched);
  }

  void judge(std::size_t passed, std::size_t matched) {
    judged_ += passed;
    matched_ += matched;
    if (judged_ < kJudgedBytes) return;
    if (matched_ * 8 < judged_ * kKeptEighths) distance_ = 0;
    judged_ = matched_ = 0;
  }

  const char* end_of_match(const char* at, std::size_t distance) const {
    const char* const last = end_ - kLastLiterals;
    for (; last - at >= 16; at += 16) {
      const std::uint32_t equal = equal_16(at, at - distance);
      if (equal != 0xffffU) return at + std::countr_one(equal);
    }
    while (at < last && *at == *(at - distance)) ++at;
    return at;
  }

  const char* const begin_;
  const char* const end_;
  const char* at_;
  const char* literals_;  // first byte that is not written yet
  char* out_;
  std::size_t distance_ = 0;  // 0: none that pays
  std::size_t judged_ = 0;
  std::size_t matched_ = 0;        // of those judged
  std::size_t best_ = 0;           // of the search under way
  const char* best_at_ = nullptr;  // where it was found
  int best_score_ = 0;
  int places_ = 0;
  std::array<std::uint32_t, 1U << kTableBits> table_{};  // where eight bytes stood last
};

}  // namespace

std::size_t pack_lz4(std::string_view plain, char* room) { return Encoder(plain, room).run(); }

}  // namespace vigia::pipeline
