#include "libs/deltas/delta_accumulator.hpp"

#include <algorithm>
#include <optional>
#include <type_traits>

#include <fmt/format.h>
#include <protozero/exception.hpp>
#include <protozero/pbf_writer.hpp>
#include <xxhash.h>

#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/otlp/points.hpp"

namespace vigia::deltas {

using wire::otlp::bytes_field;
using wire::otlp::ExponentialPointField;
using wire::otlp::ExportRequestField;
using wire::otlp::FieldReader;
using wire::otlp::GroupField;
using wire::otlp::HistogramPointField;
using wire::otlp::MetricDataField;
using wire::otlp::MetricField;
using wire::otlp::NumberPointField;
using wire::otlp::ProtoField;

namespace {

constexpr std::uint64_t kDelta = 1;
constexpr std::int32_t kCumulative = 2;
/// What an exponential histogram's buckets take at most, both sides.
constexpr std::size_t kExponentialBytes = 2 * ExponentialSum::kBucketsMax * sizeof(std::uint64_t);
/// Two points of one series never carry one time: the later is moved by this.
constexpr std::uint64_t kTimeStepNs = 1'000'000;
constexpr Duration kForgetInterval = std::chrono::seconds(1);

struct MetricHead {
  std::string_view name;
  std::string_view unit;
  std::string_view data;
  std::uint32_t data_field = 0;  // of a sum or one of the histograms; 0: neither
  bool is_delta = false;
};

MetricHead read_head(std::string_view metric) {
  MetricHead head;
  FieldReader reader(metric);
  while (reader.next()) {
    if (reader.tag_and_type() == MetricField::kName.tag) {
      head.name = reader.bytes();
    } else if (reader.tag_and_type() == MetricField::kUnit.tag) {
      head.unit = reader.bytes();
    } else if (reader.tag_and_type() == MetricField::kSum.tag ||
               reader.tag_and_type() == MetricField::kHistogram.tag ||
               reader.tag_and_type() == MetricField::kExponentialHistogram.tag) {
      head.data_field = reader.number();
      head.data = reader.bytes();
    } else {
      reader.skip();
    }
  }
  FieldReader data(head.data);
  while (data.next()) {
    if (data.tag_and_type() == MetricDataField::kTemporality.tag) {
      head.is_delta = data.varint() == kDelta;
    } else {
      data.skip();
    }
  }
  return head;
}

/// Attributes in an order of their own, so that a sender may change its.
std::string sorted_attributes(const wire::otlp::Attributes& attributes) {
  std::vector<std::string_view> pairs;
  FieldReader reader(attributes.bytes);
  while (reader.next()) {
    if (reader.tag_and_type() == bytes_field(attributes.number)) {
      pairs.push_back(reader.bytes());
    } else {
      reader.skip();
    }
  }
  std::sort(pairs.begin(), pairs.end());
  std::string text;
  protozero::pbf_writer writer(text);
  // Any number will do: the text is only hashed.
  constexpr std::uint32_t kPairField = 1;
  for (const auto pair : pairs) writer.add_message(kPairField, pair.data(), pair.size());
  return text;
}

StreamKey hash_of(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

std::string_view bytes_of(const StreamKey& key) {
  static_assert(std::has_unique_object_representations_v<StreamKey>);
  return {reinterpret_cast<const char*>(&key), sizeof key};
}

}  // namespace

/// One pass over one request.
class DeltaRewrite {
 public:
  explicit DeltaRewrite(DeltaAccumulator& owner)
      : owner_(owner),
        now_ns_(static_cast<std::uint64_t>(std::max<std::int64_t>(owner.clock_.wall_ns(), 0))),
        latest_ns_(now_ns_ + static_cast<std::uint64_t>(DeltaAccumulator::kAheadMax.count())) {}

  std::string request(std::string_view body) {
    return map_field(body, ExportRequestField::kGroups.number, [this](std::string_view envelope) {
      resource_ = hash_of(find(envelope));
      return map_field(envelope, GroupField::kMembers.number, [this](std::string_view scope) {
        scope_ = hash_of(find(scope));
        return map_field(scope, GroupField::kMembers.number,
                         [this](std::string_view metric) { return this->metric(metric); });
      });
    });
  }
  /// What was made is then cut off.
  bool is_over() const { return made_bytes_ > DeltaAccumulator::kMadeBytesMax; }

 private:
  /// The message with each member of that number replaced by what `change` makes of it.
  template <typename Change>
  static std::string map_field(std::string_view message, std::uint32_t number, Change change) {
    std::string out;
    protozero::pbf_writer writer(out);
    FieldReader reader(message);
    while (reader.next()) {
      if (reader.tag_and_type() == bytes_field(number)) {
        const std::string changed = change(reader.bytes());
        writer.add_message(number, changed);
      } else {
        reader.skip();
        out.append(reader.field_begin(), reader.position());
      }
    }
    return out;
  }

  static std::string_view find(std::string_view envelope) {
    std::string_view head;
    FieldReader reader(envelope);
    while (reader.next()) {
      if (reader.tag_and_type() == GroupField::kHead.tag) {
        head = reader.bytes();
      } else {
        reader.skip();
      }
    }
    return head;
  }

  std::string metric(std::string_view bytes) {
    const MetricHead head = read_head(bytes);
    if (!head.is_delta || head.data_field == 0) return std::string(bytes);
    return map_field(bytes, head.data_field, [&](std::string_view data) {
      std::string out;
      protozero::pbf_writer writer(out);
      FieldReader reader(data);
      while (reader.next()) {
        if (reader.tag_and_type() == MetricDataField::kPoints.tag) {
          // No more is made than the bound, also where the request then fails: 32 MiB of points of
          // one bucket would become gigabytes of points of all.
          if (is_over()) break;
          if (const auto changed = point(head, reader.bytes())) {
            made_bytes_ += changed->size();
            writer.add_message(MetricDataField::kPoints.number, *changed);
          } else {
            ++owner_.points_left_out_;
          }
        } else if (reader.tag_and_type() == MetricDataField::kTemporality.tag) {
          reader.skip();
          writer.add_enum(MetricDataField::kTemporality.number, kCumulative);
        } else {
          reader.skip();
          out.append(reader.field_begin(), reader.position());
        }
      }
      return out;
    });
  }

  /// Cumulative; nothing where there is no room for its series.
  std::optional<std::string> point(const MetricHead& head, std::string_view bytes) {
    if (head.data_field == MetricField::kSum.number) return number_point(head, bytes);
    if (head.data_field == MetricField::kHistogram.number) return histogram_point(head, bytes);
    return exponential_point(head, bytes);
  }

  StreamKey key(const MetricHead& head, const wire::otlp::PointHeader& point) const {
    std::string identity;
    protozero::pbf_writer writer(identity);
    const auto add = [&](std::uint32_t number, std::string_view text) {
      writer.add_bytes(number, text.data(), text.size());
    };
    add(1, bytes_of(resource_));
    add(2, bytes_of(scope_));
    add(3, head.name);
    add(4, head.unit);
    add(5, sorted_attributes(point.attributes));
    writer.add_uint32(6, head.data_field);
    return hash_of(identity);
  }

  /// The series' state; nothing where there is no room for it.
  DeltaState* find_state(const StreamKey& series, std::size_t growth = 0) {
    DeltaState* state = owner_.state_for(series, growth);
    // This node's clock was ahead: it would keep all points out until then.
    if (state != nullptr && state->time_ns > latest_ns_) *state = DeltaState{};
    return state;
  }

  /// The time to write the point with; nothing where the series ends here.
  std::optional<std::uint64_t> begin_point(DeltaState& state, const wire::otlp::PointHeader& point,
                                           const StreamKey& key) {
    // The mark itself goes on to the collector, which ends the series there too.
    if (point.is_stale()) {
      owner_.ended_.push_back(key);
      return std::nullopt;
    }
    if (state.start_ns == 0) {
      const bool has_start = point.start_ns != 0 && point.start_ns <= point.time_ns;
      state.start_ns = has_start ? point.start_ns : point.time_ns;
      if (state.start_ns > latest_ns_) state.start_ns = now_ns_;
    }
    state.used_at = owner_.clock_.steady();
    // Added up, but not let into the series' clock: the collector refuses it by its own rule, and
    // the right points after it keep their time.
    if (point.time_ns > latest_ns_) return point.time_ns;
    // Forward only: stores refuse a second point of one time, and with it what it adds.
    state.time_ns = std::max(point.time_ns, state.time_ns == 0 ? 0 : state.time_ns + kTimeStepNs);
    return state.time_ns;
  }

  std::optional<std::string> number_point(const MetricHead& head, std::string_view bytes) {
    const auto& point = points_.number(bytes);
    const StreamKey series = key(head, point);
    DeltaState* state = find_state(series);
    if (state == nullptr) return std::nullopt;
    const auto time_ns = begin_point(*state, point, series);
    if (!time_ns) return std::string(bytes);
    std::string out =
        copy_but(bytes, {NumberPointField::kStartTime.tag, NumberPointField::kTime.tag,
                         NumberPointField::kDouble.tag, NumberPointField::kInt.tag});
    add_number(*state, bytes, point.value);
    protozero::pbf_writer writer(out);
    writer.add_fixed64(NumberPointField::kStartTime.number, state->start_ns);
    writer.add_fixed64(NumberPointField::kTime.number, *time_ns);
    if (state->is_double) {
      writer.add_double(NumberPointField::kDouble.number, state->real);
    } else {
      writer.add_sfixed64(NumberPointField::kInt.number, state->whole);
    }
    return out;
  }

  /// Integers stay integers until one of them does not fit or a point is no integer.
  static void add_number(DeltaState& state, std::string_view bytes, double value) {
    std::optional<std::int64_t> whole;
    FieldReader reader(bytes);
    while (reader.next()) {
      if (reader.tag_and_type() == NumberPointField::kInt.tag) {
        whole = reader.sfixed64();
      } else {
        reader.skip();
      }
    }
    std::int64_t sum = 0;
    if (!state.is_double && whole && !__builtin_add_overflow(state.whole, *whole, &sum)) {
      state.whole = sum;
      return;
    }
    if (!state.is_double) {
      state.is_double = true;
      state.real = static_cast<double>(state.whole);
    }
    state.real += value;
  }

  std::optional<std::string> histogram_point(const MetricHead& head, std::string_view bytes) {
    const auto& point = points_.histogram(bytes);
    const StreamKey series = key(head, point);
    const std::size_t room =
        point.bucket_counts.size() * sizeof(std::uint64_t) + point.bounds_bytes.size();
    DeltaState* state = find_state(series, room);
    if (state == nullptr) return std::nullopt;
    const bool is_other_shape =
        state->start_ns != 0 && (state->bounds != point.bounds_bytes ||
                                 state->buckets.size() != point.bucket_counts.size());
    if (is_other_shape) {
      // Other bounds cannot be added to these: the series begins anew, but not before its last
      // point.
      const std::uint64_t last_ns = state->time_ns;
      *state = DeltaState{};
      state->time_ns = last_ns;
    }
    const auto time_ns = begin_point(*state, point, series);
    if (!time_ns) return std::string(bytes);
    state->bounds = point.bounds_bytes;
    state->buckets.resize(point.bucket_counts.size());
    for (std::size_t index = 0; index < state->buckets.size(); ++index) {
      state->buckets[index] += point.bucket_counts[index];
    }
    state->count += point.count;
    state->real += point.sum;
    // Smallest and largest value are those of one report: over all of the time they are not known.
    std::string out = copy_but(
        bytes, {HistogramPointField::kStartTime.tag, HistogramPointField::kTime.tag,
                HistogramPointField::kCount.tag, HistogramPointField::kSum.tag,
                HistogramPointField::kBucketCounts.tag, HistogramPointField::kBucketCountsAlone.tag,
                HistogramPointField::kMin.tag, HistogramPointField::kMax.tag});
    write_totals(out, *state, *time_ns, point.has_sum);
    protozero::pbf_writer(out).add_packed_fixed64(HistogramPointField::kBucketCounts.number,
                                                  state->buckets.begin(), state->buckets.end());
    return out;
  }

  std::optional<std::string> exponential_point(const MetricHead& head, std::string_view bytes) {
    const auto& point = points_.exponential(bytes);
    // Judged before the state is touched: a point that is half added could not be taken back.
    if (point.positive.is_cut || point.negative.is_cut || !ExponentialSum::can_add(point))
      return std::nullopt;
    const StreamKey series = key(head, point);
    DeltaState* state = find_state(series, kExponentialBytes);
    if (state == nullptr) return std::nullopt;
    const auto time_ns = begin_point(*state, point, series);
    if (!time_ns) return std::string(bytes);
    state->exponential.add(point);
    state->count += point.count;
    state->real += point.sum;
    std::string out =
        copy_but(bytes, {ExponentialPointField::kStartTime.tag, ExponentialPointField::kTime.tag,
                         ExponentialPointField::kCount.tag, ExponentialPointField::kSum.tag,
                         ExponentialPointField::kScale.tag, ExponentialPointField::kZeroCount.tag,
                         ExponentialPointField::kPositive.tag, ExponentialPointField::kNegative.tag,
                         ExponentialPointField::kMin.tag, ExponentialPointField::kMax.tag,
                         ExponentialPointField::kZeroThreshold.tag});
    write_totals(out, *state, *time_ns, point.has_sum);
    state->exponential.write(out);
    return out;
  }

  /// Of either kind of histogram: these four fields are the same in both.
  static void write_totals(std::string& out, const DeltaState& state, std::uint64_t time_ns,
                           bool has_sum) {
    protozero::pbf_writer writer(out);
    writer.add_fixed64(HistogramPointField::kStartTime.number, state.start_ns);
    writer.add_fixed64(HistogramPointField::kTime.number, time_ns);
    writer.add_fixed64(HistogramPointField::kCount.number, state.count);
    if (has_sum) writer.add_double(HistogramPointField::kSum.number, state.real);
  }

  static std::string copy_but(std::string_view message, std::initializer_list<std::uint32_t> left) {
    std::string out;
    FieldReader reader(message);
    while (reader.next()) {
      const bool is_left = std::find(left.begin(), left.end(), reader.tag_and_type()) != left.end();
      reader.skip();
      if (!is_left) out.append(reader.field_begin(), reader.position());
    }
    return out;
  }

  DeltaAccumulator& owner_;
  const std::uint64_t now_ns_;
  const std::uint64_t latest_ns_;  // what comes after is from the future
  wire::otlp::PointReader points_;
  StreamKey resource_;  // hashed once: it may be as long as all of its points
  StreamKey scope_;
  std::size_t made_bytes_ = 0;  // of points
};

std::size_t DeltaState::bytes() const {
  return sizeof(DeltaState) + sizeof(StreamKey) + buckets.capacity() * sizeof(std::uint64_t) +
         bounds.capacity() + exponential.bytes();
}

Result<std::string> DeltaAccumulator::rewrite(std::string_view body) {
  discard();
  points_left_out_ = 0;
  DeltaRewrite rewriting(*this);
  std::string made = rewriting.request(body);
  if (!rewriting.is_over()) return made;
  return fail(
      ErrorCode::kTooLarge,
      fmt::format("the request's delta points, added up, are over {} MiB; send fewer at once",
                  kMadeBytesMax >> 20U));
}

bool DeltaAccumulator::has_room_for(std::size_t bytes) const {
  return bytes == 0 || bytes_ + pending_growth_ + bytes <= kBytesMax;
}

/// Works on a copy of the series until commit: a request whose bytes the disk does not take is sent
/// again by the application, and must then not count twice.
DeltaState* DeltaAccumulator::state_for(const StreamKey& key, std::size_t growth) {
  const std::size_t wanted = sizeof(DeltaState) + sizeof(StreamKey) + growth;
  const auto found = pending_.find(key);
  if (found == pending_.end()) return new_pending(key, wanted);
  Pending& pending = found->second;
  const std::size_t grows_by = wanted > pending.reserved ? wanted - pending.reserved : 0;
  if (!has_room_for(grows_by)) return nullptr;
  pending_growth_ += grows_by;
  pending.reserved += grows_by;
  return &pending.state;
}

DeltaState* DeltaAccumulator::new_pending(const StreamKey& key, std::size_t wanted) {
  const auto known = states_.find(key);
  const bool is_new = known == states_.end();
  const std::size_t before = is_new ? 0 : known->second.bytes();
  const std::size_t grows_by = wanted > before ? wanted - before : 0;
  const auto is_full = [&] {
    const bool are_too_many = is_new && states_.size() + pending_.size() >= kSeriesMax;
    return are_too_many || !has_room_for(grows_by);
  };
  // Only when the room is needed: a walk over 20,000 states is not for each request.
  if (is_full() && is_new) forget_idle();
  if (is_full()) return nullptr;
  pending_growth_ += grows_by;
  DeltaState state = is_new ? DeltaState{} : known->second;
  return &pending_.emplace(key, Pending{std::move(state), before + grows_by}).first->second.state;
}

void DeltaAccumulator::forget_idle() {
  const TimePoint now = clock_.steady();
  if (forgot_at_ && now - *forgot_at_ < kForgetInterval) return;
  forgot_at_ = now;
  const TimePoint limit = now - kIdleMax;
  std::erase_if(states_, [&](const auto& entry) {
    if (entry.second.used_at >= limit) return false;
    bytes_ -= entry.second.bytes();
    return true;
  });
}

void DeltaAccumulator::commit() {
  const auto forget = [this](const StreamKey& key) {
    const auto known = states_.find(key);
    if (known == states_.end()) return;
    bytes_ -= known->second.bytes();
    states_.erase(known);
  };
  for (auto& [key, pending] : pending_) {
    // Made for a point that was then left out: nothing was added to it.
    if (pending.state.start_ns == 0) continue;
    forget(key);
    const auto kept = states_.emplace(key, std::move(pending.state)).first;
    bytes_ += kept->second.bytes();
  }
  for (const StreamKey& key : ended_) forget(key);
  discard();
}

void DeltaAccumulator::discard() {
  pending_.clear();
  ended_.clear();
  pending_growth_ = 0;
}

}  // namespace vigia::deltas
