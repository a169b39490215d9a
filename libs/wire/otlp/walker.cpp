#include "libs/wire/otlp/walker.hpp"

#include <optional>

#include <fmt/format.h>

#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/damage_place.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::wire::otlp {
namespace {

/// Thrown inside a walk, caught in walk(): the same way out that protozero takes.
struct FieldTwice {
  std::string_view field;
};

/// Likewise.
struct TooMany {
  std::string_view what;
  std::uint32_t limit;
};

/// Likewise.
struct MostlyUnknown {
  std::size_t unknown_bytes;
  std::size_t body_bytes;
};

std::string_view items_name(Signal signal) {
  switch (signal) {
    case Signal::kMetrics:
      return "data points";
    case Signal::kTraces:
      return "spans";
    case Signal::kLogs:
      return "log records";
  }
  return "items";
}

/// Protobuf lets a message stand twice and merges the two. We read views, which cannot be merged,
/// and to take one of the two would make what is checked another thing than what a destination
/// reads.
std::string_view once(std::optional<std::string_view>& slot, std::string_view value,
                      std::string_view name) {
  if (slot) throw FieldTwice{name};
  slot = value;
  return value;
}

struct GroupParts {
  std::string_view head;
  std::string_view schema_url;
};

/// The head may stand behind the members, so it is looked for first; members are skipped by length.
GroupParts read_envelope(std::string_view bytes, std::string_view head_name) {
  std::optional<std::string_view> head;
  GroupParts parts;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case GroupField::kHead.tag:
        parts.head = once(head, reader.bytes(), head_name);
        break;
      case GroupField::kSchemaUrl.tag:
        parts.schema_url = reader.bytes();
        break;
      default:
        reader.pass_over(GroupField::kKnown);
    }
  }
  return parts;
}

/// Value of "prometheus.type" in Metric.metadata (KeyValue), or "". Read as every attribute is:
/// what is damaged for who edits it is so here.
std::string_view prometheus_type(std::string_view key_value) {
  const KeyValueView entry = read_key_value(key_value);
  return entry.key == "prometheus.type" ? string_value(entry.value) : std::string_view();
}

class Walk {
 public:
  Walk(Signal signal, Visitor& visitor, const WalkLimits& limits)
      : signal_(signal), visitor_(visitor), limits_(limits) {}

  std::uint32_t body(std::string_view bytes) {
    body_bytes_ = bytes.size();
    FieldReader reader(bytes);
    while (reader.next()) {
      if (reader.tag_and_type() == ExportRequestField::kGroups.tag) {
        place_.enter(DamagePlace::kResource);
        resource(reader.bytes());
        place_.leave(DamagePlace::kResource);
      } else {
        skip_unknown(reader, ExportRequestField::kKnown);
      }
    }
    return items_;
  }
  const DamagePlace& place() const { return place_; }

 private:
  void resource(std::string_view bytes) {
    const std::uint32_t items_before = items_;
    const GroupParts parts = read_envelope(bytes, "resource");
    visitor_.on_resource({parts.head, parts.schema_url});
    FieldReader reader(bytes);
    while (reader.next()) {
      if (reader.tag_and_type() == GroupField::kMembers.tag) {
        place_.enter(DamagePlace::kScope);
        scope(reader.bytes());
        place_.leave(DamagePlace::kScope);
      } else {
        skip_of_envelope(reader);
      }
    }
    end_envelope(items_before);
  }

  void scope(std::string_view bytes) {
    const std::uint32_t items_before = items_;
    const GroupParts parts = read_envelope(bytes, "scope");
    visitor_.on_scope({parts.head, parts.schema_url});
    FieldReader reader(bytes);
    while (reader.next()) {
      if (reader.tag_and_type() != GroupField::kMembers.tag) {
        skip_of_envelope(reader);
      } else if (signal_ == Signal::kMetrics) {
        place_.enter(DamagePlace::kMetric);
        metric(reader.bytes());
        place_.leave(DamagePlace::kMetric);
      } else {
        place_.enter(DamagePlace::kRecord);
        item(reader.bytes());
        place_.leave(DamagePlace::kRecord);
      }
    }
    end_envelope(items_before);
  }

  void skip_unknown(FieldReader& reader, const KnownFields& fields) {
    reader.pass_over(fields);
    const auto bytes = static_cast<std::size_t>(reader.position() - reader.field_begin());
    unknown_bytes_ += bytes;
    visitor_.on_unknown(bytes);
    // A traces request that is sent to the metrics path is valid protobuf of unknown fields, and
    // would be acknowledged as an empty one. A newer OTLP adds fields too, but never most of a
    // body.
    if (unknown_bytes_ > limits_.unknown_bytes && unknown_bytes_ > body_bytes_ / 2)
      throw MostlyUnknown{unknown_bytes_, body_bytes_};
  }

  /// The head and the schema URL have been read before.
  void skip_of_envelope(FieldReader& reader) {
    if (reader.tag_and_type() == GroupField::kHead.tag ||
        reader.tag_and_type() == GroupField::kSchemaUrl.tag) {
      reader.skip();
    } else {
      skip_unknown(reader, GroupField::kKnown);
    }
  }

  void item(std::string_view bytes) {
    // Counted before it is given: verdicts are kept for each item, so their number bounds memory.
    if (items_ == limits_.items) throw TooMany{items_name(signal_), limits_.items};
    visitor_.on_item(items_++, bytes);
  }

  void end_envelope(std::uint32_t items_before) {
    if (items_ != items_before) return;
    // An envelope without items is two bytes and makes visitors work as for a real one; items alone
    // would not bound that.
    if (empty_envelopes_++ == limits_.empty_envelopes) {
      throw TooMany{"resources, scopes or metrics without an item", limits_.empty_envelopes};
    }
    visitor_.on_empty();
  }

  void metric(std::string_view bytes) {
    MetricView view;
    std::optional<std::string_view> data;
    FieldReader reader(bytes);
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case MetricField::kName.tag:
          view.name = reader.bytes();
          break;
        case MetricField::kDescription.tag:
          view.description = reader.bytes();
          break;
        case MetricField::kUnit.tag:
          view.unit = reader.bytes();
          break;
        case MetricField::kGauge.tag:
        case MetricField::kSum.tag:
        case MetricField::kHistogram.tag:
        case MetricField::kExponentialHistogram.tag:
        case MetricField::kSummary.tag:
          view.type = static_cast<MetricKind>(reader.number());
          once(data, reader.bytes(), "data");
          break;
        case MetricField::kMetadata.tag:
          if (const auto type = prometheus_type(reader.bytes()); !type.empty()) {
            view.prometheus_type = type;
          }
          break;
        default:
          skip_unknown(reader, MetricField::kKnown);
      }
    }
    // The visitor judges a metric before its points come, so what stands behind them is read first:
    // points are skipped by length, which touches one cache line each.
    read_aggregation(data.value_or(std::string_view{}), view);
    visitor_.on_metric(view);
    place_.set_kind(view.type);
    const std::uint32_t items_before = items_;
    points(data.value_or(std::string_view{}));
    end_envelope(items_before);
  }

  /// Temporality and monotony stand behind the points as encoders write them.
  static void read_aggregation(std::string_view data, MetricView& view) {
    if (view.type == MetricKind::kGauge || view.type == MetricKind::kSummary) return;
    FieldReader reader(data);
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case MetricDataField::kTemporality.tag: {
          const auto value = reader.varint();
          view.temporality =
              value <= 2 ? static_cast<Temporality>(value) : Temporality::kUnspecified;
          break;
        }
        case MetricDataField::kIsMonotonic.tag:
          view.is_monotonic = reader.varint() != 0;
          break;
        default:
          reader.pass_over(MetricDataField::kKnown);
      }
    }
  }

  void points(std::string_view data) {
    FieldReader reader(data);
    while (reader.next()) {
      if (reader.tag_and_type() == MetricDataField::kPoints.tag) {
        place_.enter(DamagePlace::kPoint);
        item(reader.bytes());
        place_.leave(DamagePlace::kPoint);
      } else if (reader.tag_and_type() == MetricDataField::kTemporality.tag ||
                 reader.tag_and_type() == MetricDataField::kIsMonotonic.tag) {
        reader.skip();
      } else {
        skip_unknown(reader, MetricDataField::kOfAll);
      }
    }
  }

  Signal signal_;
  Visitor& visitor_;
  const WalkLimits limits_;
  DamagePlace place_;
  std::uint32_t items_ = 0;
  std::uint32_t empty_envelopes_ = 0;
  std::size_t body_bytes_ = 0;
  std::size_t unknown_bytes_ = 0;
};

/// As the doors take a place out of an error (", at resourceSpans[0]: ").
std::string at_place(const DamagePlace& place, Signal signal) {
  const std::string text = place.text(signal);
  return text.empty() ? text : ", at " + text;
}

class CountOnly final : public Visitor {
 public:
  void on_item(std::uint32_t /*item*/, std::string_view /*bytes*/) override {}
};

}  // namespace

Result<std::uint32_t> walk(Signal signal, std::string_view body, Visitor& visitor,
                           const WalkLimits& limits) {
  Walk under_way(signal, visitor, limits);
  try {
    return under_way.body(body);
  } catch (const TooMany& many) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("more than {} {} in one request; send them in smaller ones", many.limit,
                            many.what));
  } catch (const MostlyUnknown& unknown) {
    return fail(ErrorCode::kInvalid,
                fmt::format("not an OTLP {} request: at least {} of its {} bytes are in fields "
                            "that OTLP does not know",
                            to_string(signal), unknown.unknown_bytes, unknown.body_bytes));
  } catch (const FieldTwice& twice) {
    return fail(ErrorCode::kInvalid,
                fmt::format("not an OTLP {} request{}: \"{}\" stands twice in one message",
                            to_string(signal), at_place(under_way.place(), signal), twice.field));
  } catch (const protozero::exception& damage) {
    return fail(ErrorCode::kInvalid,
                fmt::format("not an OTLP {} request{}: {}", to_string(signal),
                            at_place(under_way.place(), signal), damage.what()));
  }
}

Result<std::uint32_t> count_items(Signal signal, std::string_view body, const WalkLimits& limits) {
  CountOnly visitor;
  return walk(signal, body, visitor, limits);
}

}  // namespace vigia::wire::otlp
