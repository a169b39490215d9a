#include "libs/deltas/delta_request.hpp"

#include <algorithm>
#include <memory>
#include <type_traits>

#include <protozero/pbf_writer.hpp>
#include <xxhash.h>

#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/otlp/points.hpp"

namespace vigia::deltas {
namespace {

using wire::otlp::bytes_field;
using wire::otlp::ExportRequestField;
using wire::otlp::FieldReader;
using wire::otlp::GroupField;
using wire::otlp::MetricDataField;
using wire::otlp::MetricField;
using wire::otlp::MetricKind;
using wire::otlp::Temporality;

constexpr std::uint64_t kDelta = 1;
constexpr std::int32_t kCumulative = 2;

StreamKey hash_of(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

std::string_view bytes_of(const StreamKey& key) {
  static_assert(std::has_unique_object_representations_v<StreamKey>);
  return {reinterpret_cast<const char*>(&key), sizeof key};
}

/// The message with its attributes in an order of their own, so that a sender may change its.
std::string sorted(std::string_view message, std::uint32_t attributes_field) {
  std::vector<std::string_view> pairs;
  std::string rest;
  FieldReader reader(message);
  while (reader.next()) {
    if (reader.tag_and_type() == bytes_field(attributes_field)) {
      pairs.push_back(reader.bytes());
    } else {
      reader.skip();
      rest.append(reader.field_begin(), reader.position());
    }
  }
  std::sort(pairs.begin(), pairs.end());
  protozero::pbf_writer writer(rest);
  for (const auto pair : pairs) writer.add_message(attributes_field, pair.data(), pair.size());
  return rest;
}

bool is_added_up(MetricKind type) {
  return type == MetricKind::kSum || type == MetricKind::kHistogram ||
         type == MetricKind::kExponentialHistogram;
}

class Finder final : public wire::otlp::Visitor {
 public:
  explicit Finder(PointJudge& judge) : judge_(judge) {}

  void on_resource(const wire::otlp::ResourceView& resource) override {
    resource_bytes_ = resource.bytes;
    has_resource_ = false;
  }
  void on_scope(const wire::otlp::ScopeView& scope) override {
    scope_bytes_ = scope.bytes;
    scope_schema_ = scope.schema_url;
    has_scope_ = false;
  }
  void on_metric(const wire::otlp::MetricView& metric) override {
    metric_ = metric;
    has_head_ = false;
    is_delta_ = is_added_up(metric.type) && metric.temporality == Temporality::kDelta;
  }
  void on_item(std::uint32_t item, std::string_view bytes) override {
    if (!is_delta_ || !judge_.wants(item)) return;
    const wire::otlp::PointHeader& point = points_.header(metric_.type, bytes);
    found.push_back({.item = item,
                     .type = metric_.type,
                     .is_monotonic = metric_.is_monotonic,
                     .stream = stream_of(point),
                     .start_ns = point.start_ns,
                     .time_ns = point.time_ns,
                     .bytes = bytes});
  }

  std::vector<DeltaPoint> found;

 private:
  StreamKey stream_of(const wire::otlp::PointHeader& point) {
    if (!has_head_) write_head();
    room_.resize(head_size_);
    protozero::pbf_writer writer(room_);
    const std::string attributes = sorted(point.attributes.bytes, point.attributes.number);
    writer.add_bytes(6, attributes.data(), attributes.size());
    writer.add_uint32(7, static_cast<std::uint32_t>(metric_.type));
    writer.add_bool(8, metric_.is_monotonic);
    if (head_size_ <= kShortHead) return hash_of(room_);
    XXH3_copyState(whole_.get(), head_.get());
    XXH3_128bits_update(whole_.get(), room_.data() + head_size_, room_.size() - head_size_);
    const XXH128_hash_t hash = XXH3_128bits_digest(whole_.get());
    return {hash.low64, hash.high64};
  }

  /// What all points of a metric begin with, once: name, unit and schema may each be as long as all
  /// of its points.
  void write_head() {
    if (!has_resource_)
      resource_ = hash_of(sorted(resource_bytes_, wire::otlp::ResourceField::kAttributes.number));
    if (!has_resource_ || !has_scope_)
      scope_ = hash_of(sorted(scope_bytes_, wire::otlp::ScopeField::kAttributes.number));
    has_resource_ = has_scope_ = has_head_ = true;
    room_.clear();
    protozero::pbf_writer writer(room_);
    const auto add = [&writer](std::uint32_t number, std::string_view text) {
      writer.add_bytes(number, text.data(), text.size());
    };
    add(1, bytes_of(resource_));
    add(2, bytes_of(scope_));
    add(3, scope_schema_);
    add(4, metric_.name);
    add(5, metric_.unit);
    head_size_ = room_.size();
    if (head_size_ <= kShortHead) return;
    XXH3_128bits_reset(head_.get());
    XXH3_128bits_update(head_.get(), room_.data(), head_size_);
  }

  /// Heads up to here are hashed anew with each point, which is cheaper than to copy a state.
  static constexpr std::size_t kShortHead = 1024;
  struct FreeState {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  using HashState = std::unique_ptr<XXH3_state_t, FreeState>;

  PointJudge& judge_;
  wire::otlp::PointReader points_;
  wire::otlp::MetricView metric_;
  std::string_view resource_bytes_, scope_bytes_, scope_schema_;
  bool has_resource_ = false, has_scope_ = false;
  bool is_delta_ = false;
  bool has_head_ = false;
  StreamKey resource_, scope_;
  std::string room_;  // bytes to hash, the metric's first
  std::size_t head_size_ = 0;
  HashState head_{XXH3_createState()}, whole_{XXH3_createState()};
};

/// Copies a request, counting its points as the walk does.
class Placing {
 public:
  explicit Placing(const Places& places) : next_(places.begin()), end_(places.end()) {}

  std::string request(std::string_view body) {
    return mapped(body, ExportRequestField::kGroups.number, [this](std::string_view resource) {
      return mapped(resource, GroupField::kMembers.number, [this](std::string_view scope) {
        return mapped(scope, GroupField::kMembers.number,
                      [this](std::string_view metric) { return this->metric(metric); });
      });
    });
  }

 private:
  /// The message with each member of that number replaced by what `change` makes of it.
  template <typename Change>
  static std::string mapped(std::string_view message, std::uint32_t number, Change change) {
    std::string out;
    out.reserve(message.size());
    protozero::pbf_writer writer(out);
    FieldReader reader(message);
    while (reader.next()) {
      if (reader.tag_and_type() == bytes_field(number)) {
        writer.add_message(number, change(reader.bytes()));
      } else {
        reader.skip();
        out.append(reader.field_begin(), reader.position());
      }
    }
    return out;
  }

  bool is_next(std::uint32_t item) const { return next_ != end_ && next_->first == item; }

  static bool is_data(std::uint32_t tag) {
    return tag == MetricField::kGauge.tag || tag == MetricField::kSum.tag ||
           tag == MetricField::kHistogram.tag || tag == MetricField::kExponentialHistogram.tag ||
           tag == MetricField::kSummary.tag;
  }
  static bool is_delta_data(std::uint32_t tag, std::string_view data) {
    if (tag == MetricField::kGauge.tag || tag == MetricField::kSummary.tag) return false;
    bool is_delta = false;
    FieldReader reader(data);
    while (reader.next()) {
      if (reader.tag_and_type() == MetricDataField::kTemporality.tag) {
        is_delta = reader.varint() == kDelta;
      } else {
        reader.skip();
      }
    }
    return is_delta;
  }

  std::string metric(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    FieldReader reader(bytes);
    while (reader.next()) {
      const std::uint32_t tag = reader.tag_and_type();
      const std::uint32_t number = reader.number();
      if (is_data(tag)) {
        protozero::pbf_writer(out).add_message(number, data(tag, reader.bytes()));
      } else {
        reader.skip();
        out.append(reader.field_begin(), reader.position());
      }
    }
    return out;
  }

  std::string data(std::uint32_t field, std::string_view bytes) {
    const bool is_delta = is_delta_data(field, bytes);
    std::string out;
    out.reserve(bytes.size());
    protozero::pbf_writer writer(out);
    FieldReader reader(bytes);
    while (reader.next()) {
      const std::uint32_t tag = reader.tag_and_type();
      if (is_delta && tag == MetricDataField::kTemporality.tag) {
        reader.skip();
        writer.add_enum(MetricDataField::kTemporality.number, kCumulative);
        continue;
      }
      reader.skip();
      const bool is_point = tag == MetricDataField::kPoints.tag;
      if (is_point && is_next(item_++)) {
        if (next_->second) writer.add_message(MetricDataField::kPoints.number, *next_->second);
        ++next_;
        continue;
      }
      out.append(reader.field_begin(), reader.position());
    }
    return out;
  }

  Places::const_iterator next_;
  const Places::const_iterator end_;
  std::uint32_t item_ = 0;
};

}  // namespace

Result<std::vector<DeltaPoint>> find_deltas(std::string_view body, PointJudge& judge) {
  Finder finder(judge);
  if (auto walked = wire::otlp::walk(Signal::kMetrics, body, finder); !walked)
    return forward(walked);
  return std::move(finder.found);
}

std::string with_places(std::string_view body, const Places& places) {
  return Placing(places).request(body);
}

}  // namespace vigia::deltas
