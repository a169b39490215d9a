#include "services/collector/tail_sampling/policy.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <re2/re2.h>

#include "libs/wire/edit/value.hpp"

namespace vigia::collector::tail_sampling {
namespace {

/// What one policy says.
enum class Word : std::uint8_t { kNo, kYes, kInvertedNo, kInvertedYes, kDrop };

constexpr std::int64_t kNsOfMs = 1'000'000;

bool is_slow(const Policy& policy, const TraceFacts& facts) {
  // Of a span that ends before it begins the difference is below nought.
  const auto ms = static_cast<std::int64_t>(facts.last_ns - facts.first_ns) / kNsOfMs;
  if (policy.upper_ms == 0) return ms >= policy.threshold_ms;
  return ms > policy.threshold_ms && ms <= policy.upper_ms;
}

/// FNV-1a of salt and id: every collector with the same salt keeps the same traces.
std::uint64_t hash_of(std::string_view salt, const TraceId& id) {
  constexpr std::uint64_t kOffset = 14'695'981'039'346'656'037ULL;
  constexpr std::uint64_t kPrime = 1'099'511'628'211ULL;
  std::uint64_t hash = kOffset;
  const auto mix = [&hash](std::string_view bytes) {
    for (const char byte : bytes) {
      hash ^= static_cast<unsigned char>(byte);
      hash *= kPrime;
    }
  };
  mix(salt);
  mix(bytes_of(id));
  return hash;
}

bool takes(const Policy& policy, std::uint32_t spans, RateLevel& level, TimePoint now) {
  const double seconds = std::chrono::duration<double>(now - level.at).count();
  level.spans =
      std::min(policy.burst, level.spans + std::max(0.0, seconds) * policy.spans_per_second);
  level.at = now;
  if (static_cast<double>(spans) > level.spans) return false;
  level.spans -= spans;
  return true;
}

class Judge {
 public:
  Judge(const TraceId& id, const TraceFacts& facts, std::vector<RateLevel>& levels, TimePoint now)
      : id_(id), facts_(facts), levels_(levels), now_(now) {}

  Word ask(const Policy& policy) {
    switch (policy.kind) {
      case Policy::Kind::kAnd:
        return all(policy) ? Word::kYes : Word::kNo;
      case Policy::Kind::kDrop:
        return all(policy) ? Word::kDrop : Word::kNo;
      case Policy::Kind::kCondition:
        if (!policy.inverts) break;
        return is_met(policy) ? Word::kInvertedNo : Word::kInvertedYes;
      default:
        break;
    }
    return says_yes(policy) ? Word::kYes : Word::kNo;
  }

 private:
  /// In their order up to the first that says no: a rate behind it is not taken from.
  bool all(const Policy& policy) {
    return std::all_of(policy.parts.begin(), policy.parts.end(), [this](const Policy& part) {
      return part.inverts ? !is_met(part) : says_yes(part);
    });
  }
  bool is_met(const Policy& policy) const { return ((facts_.met >> policy.bit) & 1U) != 0; }
  bool says_yes(const Policy& policy) {
    switch (policy.kind) {
      case Policy::Kind::kAlways:
        return true;
      case Policy::Kind::kCondition:
        return is_met(policy);
      case Policy::Kind::kLatency:
        return is_slow(policy, facts_);
      case Policy::Kind::kProbabilistic:
        return hash_of(policy.salt, id_) <= policy.hash_max;
      case Policy::Kind::kRate:
        return takes(policy, facts_.spans, levels_[policy.rate], now_);
      case Policy::Kind::kSpanCount:
        return facts_.spans >= policy.spans_min &&
               (policy.spans_max == 0 || facts_.spans <= policy.spans_max);
      case Policy::Kind::kAnd:
      case Policy::Kind::kDrop:
        break;
    }
    return false;
  }

  const TraceId& id_;
  const TraceFacts& facts_;
  std::vector<RateLevel>& levels_;
  const TimePoint now_;
};

void add_full_levels(const std::vector<Policy>& policies, TimePoint now,
                     std::vector<RateLevel>& levels) {
  for (const Policy& policy : policies) {
    if (policy.kind == Policy::Kind::kRate) levels.at(policy.rate) = {policy.burst, now};
    add_full_levels(policy.parts, now, levels);
  }
}

}  // namespace

TraceId trace_id_of(std::string_view bytes) {
  TraceId id{};
  std::memcpy(id.data(), bytes.data(), sizeof id);
  return id;
}

std::string_view bytes_of(const TraceId& id) {
  return {reinterpret_cast<const char*>(id.data()), sizeof id};
}

bool SpanCondition::matches(std::string_view any_value) const {
  using wire::edit::ValueKind;
  const wire::edit::ValueView value = wire::edit::read_value(any_value);
  switch (kind) {
    case Kind::kStatus:
      return false;
    case Kind::kText:
      if (value.kind != ValueKind::kText || value.bytes.empty()) return false;
      if (texts.contains(value.bytes)) return true;
      return std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) {
        return re2::RE2::PartialMatch(value.bytes, *pattern);
      });
    case Kind::kNumber:
      return value.kind == ValueKind::kInt && value.integer >= min && value.integer <= max;
    case Kind::kTruth:
      return value.kind == ValueKind::kBool && value.truth == truth;
  }
  return false;
}

void TraceFacts::add(const TraceFacts& span) {
  met |= span.met;
  first_ns = std::min(first_ns, span.first_ns);
  last_ns = std::max(last_ns, span.last_ns);
  spans += span.spans;
}

std::vector<RateLevel> Policies::full_levels(TimePoint now) const {
  std::vector<RateLevel> levels(rates);
  add_full_levels(list, now, levels);
  return levels;
}

bool is_kept(const Policies& policies, const TraceId& id, const TraceFacts& facts,
             std::vector<RateLevel>& levels, TimePoint now) {
  Judge judge(id, facts, levels, now);
  std::array<bool, 5> said{};
  // All are asked, so that a rate is taken from by whatever passes it; as upstream has it.
  for (const Policy& policy : policies.list) {
    const Word word = judge.ask(policy);
    said.at(static_cast<std::size_t>(word)) = true;
    if (policies.takes_first_match && word == Word::kYes) break;
  }
  const auto has = [&said](Word word) { return said.at(static_cast<std::size_t>(word)); };
  if (has(Word::kDrop) || has(Word::kInvertedNo)) return false;
  return has(Word::kYes) || (has(Word::kInvertedYes) && !has(Word::kNo));
}

std::uint64_t hash_max_of(double percentage) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  if (percentage >= 100) return kMost;
  return static_cast<std::uint64_t>(std::ldexp(static_cast<long double>(percentage) / 100.0L, 64));
}

}  // namespace vigia::collector::tail_sampling
