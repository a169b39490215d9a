#include "libs/wire/edit/edit.hpp"

#include <fmt/format.h>
#include <protozero/pbf_writer.hpp>

#include "libs/wire/edit/internal/pieces.hpp"

namespace vigia::wire::edit {
namespace {

using internal::Pieces;
using otlp::FieldReader;
using otlp::GroupField;
using otlp::MetricDataField;
using otlp::MetricField;
using otlp::MetricKind;

/// Thrown inside, caught in `edit`: the way out that protozero takes.
struct EditRefused {
  ErrorCode code;
  std::string message;
};

constexpr std::size_t kBodyBytesMax = (1ULL << 31U) - 1;

std::string_view field_of(const FieldReader& reader) {
  return {reader.field_begin(), static_cast<std::size_t>(reader.position() - reader.field_begin())};
}

/// A Resource… or Scope…, but for its members.
struct GroupHead {
  std::optional<std::string_view> head;
  std::string_view schema_url;
};

GroupHead read_envelope(std::string_view bytes, std::string_view name) {
  GroupHead envelope;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case GroupField::kHead.tag:
        // Parsers differ on it; see otlp::walk.
        if (envelope.head)
          throw EditRefused{ErrorCode::kInvalid,
                            fmt::format("\"{}\" stands twice in one message", name)};
        envelope.head = reader.bytes();
        break;
      case GroupField::kSchemaUrl.tag:
        envelope.schema_url = reader.bytes();
        break;
      default:
        reader.pass_over(GroupField::kKnown);
    }
  }
  return envelope;
}

bool is_data(std::uint32_t tag) {
  switch (tag) {
    case MetricField::kGauge.tag:
    case MetricField::kSum.tag:
    case MetricField::kHistogram.tag:
    case MetricField::kExponentialHistogram.tag:
    case MetricField::kSummary.tag:
      return true;
    default:
      return false;
  }
}

struct MetricData {
  MetricKind kind = MetricKind::kNone;
  std::string_view bytes;
};

MetricData read_data(std::string_view metric) {
  MetricData data;
  FieldReader reader(metric);
  while (reader.next()) {
    if (!is_data(reader.tag_and_type())) {
      reader.pass_over(MetricField::kKnown);
      continue;
    }
    if (data.kind != MetricKind::kNone)
      throw EditRefused{ErrorCode::kInvalid, "\"data\" stands twice in one message"};
    data.kind = static_cast<MetricKind>(reader.number());
    data.bytes = reader.bytes();
  }
  return data;
}

/// Calls visit(bytes) for each message of that field.
template <typename Visit>
void for_each_message(std::string_view bytes, ProtoField field, Visit&& visit) {
  FieldReader reader(bytes);
  while (reader.next()) {
    if (reader.tag_and_type() == field.tag) {
      visit(reader.bytes());
    } else {
      reader.skip();
    }
  }
}

std::uint32_t count(std::string_view bytes, ProtoField field) {
  std::uint32_t items = 0;
  for_each_message(bytes, field, [&](std::string_view) { ++items; });
  return items;
}

class Pass {
 public:
  Pass(Signal signal, std::string_view body, Editor& editor, const EditLimits& limits)
      : signal_(signal), body_(body), editor_(editor), limits_(limits), pieces_(body) {}

  Edited run() {
    FieldReader reader(body_);
    while (reader.next()) {
      if (reader.tag_and_type() == otlp::ExportRequestField::kGroups.tag) {
        const std::string_view bytes = reader.bytes();
        group(field_of(reader), bytes);
      } else {
        reader.pass_over(otlp::ExportRequestField::kKnown);
        pieces_.append_source(field_of(reader));
      }
    }
    if (dropped_ == 0 && pieces_.is_source()) return {};
    return {pieces_.text(), dropped_};
  }

 private:
  /// A message that is written anew if anything in it is: a gap for its tag and length comes first.
  struct Level {
    std::string_view field;  ///< as it came
    Pieces::Mark mark;
    std::size_t prefix = 0;
    std::size_t bytes_before = 0;
    std::uint32_t seen_before = 0;
    std::uint32_t dropped_before = 0;
  };

  Level begin(std::string_view field) {
    const Pieces::Mark mark = pieces_.mark();
    const std::size_t prefix = pieces_.append_gap();
    return {field, mark, prefix, pieces_.bytes(), seen_, dropped_};
  }

  /// Returns whether it is another one now.
  bool end(const Level& level, std::uint32_t number, bool is_changed) {
    if (!is_changed) {
      pieces_.take_back(level.mark);
      pieces_.append_source(level.field);
      return false;
    }
    const std::uint32_t seen = seen_ - level.seen_before;
    if (seen > 0 && seen == dropped_ - level.dropped_before) {
      pieces_.take_back(level.mark);
      return true;
    }
    text_.clear();
    append_prefix(text_, number, pieces_.bytes() - level.bytes_before);
    fill(level.prefix);
    return true;
  }

  static void append_prefix(std::string& out, std::uint32_t number, std::size_t size) {
    protozero::add_varint_to_buffer(&out, otlp::bytes_field(number));
    protozero::add_varint_to_buffer(&out, size);
  }

  void fill(std::size_t gap) {
    pieces_.fill(gap, text_);
    bound_made();
  }

  void bound_made() const {
    if (pieces_.made_bytes() <= limits_.made_bytes) return;
    throw EditRefused{
        ErrorCode::kTooLarge,
        fmt::format("the collector's processors make more than {} bytes of this request "
                    "of {}; send it in smaller ones",
                    limits_.made_bytes, body_.size())};
  }

  void note_empty(std::uint32_t seen_before) {
    if (seen_ != seen_before || empty_envelopes_++ < limits_.empty_envelopes) return;
    throw EditRefused{
        ErrorCode::kTooLarge,
        fmt::format("more than {} resources, scopes or metrics without an item in one "
                    "request; send them in smaller ones",
                    limits_.empty_envelopes)};
  }

  void note_items(std::uint32_t items) {
    if (items > limits_.items - seen_)
      throw EditRefused{ErrorCode::kTooLarge,
                        fmt::format("more than {} items in one request; send them in smaller ones",
                                    limits_.items)};
    seen_ += items;
  }

  bool drop(std::uint32_t items) {
    note_items(items);
    dropped_ += items;
    return true;
  }

  /// Writes the fields of an envelope; `on_member(field, bytes)` says whether it changed one. The
  /// head is left to the gap that the caller has made.
  template <typename OnMember>
  bool members(std::string_view bytes, OnMember&& on_member) {
    bool is_changed = false;
    FieldReader reader(bytes);
    while (reader.next()) {
      if (reader.tag_and_type() == GroupField::kMembers.tag) {
        const std::string_view member = reader.bytes();
        is_changed = on_member(field_of(reader), member) || is_changed;
        continue;
      }
      const bool is_head = reader.tag_and_type() == GroupField::kHead.tag;
      reader.skip();
      if (!is_head) pieces_.append_source(field_of(reader));
    }
    return is_changed;
  }

  /// Where none came and nothing was set there is none now.
  void write_head(std::size_t gap, const Editable& head, bool was_there) {
    if (!was_there && !head.is_changed()) return;
    content_.clear();
    head.append_to(content_);
    text_.clear();
    append_prefix(text_, GroupField::kHead.number, content_.size());
    text_ += content_;
    fill(gap);
  }

  Fate fate_of_head(const Editable& head, Fate (Editor::*shown)(const EditPlace&)) {
    return head.source().size() > limits_.head_bytes ? Fate::kPass : (editor_.*shown)(place_);
  }

  bool group(std::string_view field, std::string_view bytes) {
    const GroupHead envelope = read_envelope(bytes, "resource");
    resource_.open(envelope.head.value_or(std::string_view{}), otlp::ResourceField::kAttributes,
                   limits_.is_protected);
    scope_.open({});
    metric_.open({});
    place_.resource_schema_url = envelope.schema_url;
    place_.scope_schema_url = {};
    const Fate fate = fate_of_head(resource_, &Editor::on_resource);
    if (fate == Fate::kDrop) return drop(items_of_group(bytes));
    const Level level = begin(field);
    const std::size_t head_gap = pieces_.append_gap();
    bool is_changed = members(bytes, [&](std::string_view member, std::string_view inner) {
      if (fate == Fate::kKeep) return scope(member, inner);
      pieces_.append_source(member);
      return false;
    });
    is_changed = is_changed || resource_.is_changed();
    if (is_changed) write_head(head_gap, resource_, envelope.head.has_value());
    if (fate == Fate::kKeep) note_empty(level.seen_before);
    return end(level, otlp::ExportRequestField::kGroups.number, is_changed);
  }

  bool scope(std::string_view field, std::string_view bytes) {
    const GroupHead envelope = read_envelope(bytes, "scope");
    scope_.open(envelope.head.value_or(std::string_view{}), otlp::ScopeField::kAttributes,
                limits_.is_protected);
    metric_.open({});
    place_.scope_schema_url = envelope.schema_url;
    const Fate fate = fate_of_head(scope_, &Editor::on_scope);
    if (fate == Fate::kDrop) return drop(items_of_scope(bytes));
    // What is not shown is there all the same: a group does not go with the rest of its items.
    if (fate == Fate::kPass) note_items(items_of_scope(bytes));
    const Level level = begin(field);
    const std::size_t head_gap = pieces_.append_gap();
    bool is_changed = members(bytes, [&](std::string_view member, std::string_view inner) {
      if (fate == Fate::kKeep)
        return signal_ == Signal::kMetrics
                   ? metric(member, inner)
                   : item(member, inner, GroupField::kMembers.number, MetricKind::kNone);
      pieces_.append_source(member);
      return false;
    });
    is_changed = is_changed || scope_.is_changed();
    if (is_changed) write_head(head_gap, scope_, envelope.head.has_value());
    if (fate == Fate::kKeep) note_empty(level.seen_before);
    return end(level, GroupField::kMembers.number, is_changed);
  }

  bool metric(std::string_view field, std::string_view bytes) {
    const MetricData data = read_data(bytes);
    metric_.open(bytes, MetricField::kMetadata);
    show_data(data);
    const Fate fate = editor_.on_metric(place_);
    if (fate == Fate::kDrop) return drop(count(data.bytes, MetricDataField::kPoints));
    if (fate == Fate::kPass) note_items(count(data.bytes, MetricDataField::kPoints));
    const Level level = begin(field);
    const std::size_t own_gap = pieces_.append_gap();
    bool is_changed = false;
    FieldReader reader(bytes);
    while (reader.next()) {
      const bool is_it = is_data(reader.tag_and_type());
      reader.skip();
      if (is_it) is_changed = points(field_of(reader), data, fate) || is_changed;
    }
    is_changed = is_changed || metric_.is_changed();
    if (is_changed) {
      text_.clear();
      metric_.append_to(text_, static_cast<std::uint32_t>(data.kind));
      fill(own_gap);
    }
    if (fate == Fate::kKeep) note_empty(level.seen_before);
    show_data({});
    return end(level, GroupField::kMembers.number, is_changed);
  }

  /// What is told of a metric's data; temporality stands behind the points as encoders write it.
  void show_data(const MetricData& data) {
    place_.kind = data.kind;
    place_.data = data.bytes;
    place_.temporality = otlp::Temporality::kUnspecified;
    place_.is_monotonic = false;
    if (data.kind == MetricKind::kNone || data.kind == MetricKind::kGauge ||
        data.kind == MetricKind::kSummary)
      return;
    FieldReader reader(data.bytes);
    while (reader.next()) {
      if (reader.tag_and_type() == MetricDataField::kTemporality.tag) {
        const std::uint64_t value = reader.varint();
        place_.temporality =
            value <= 2 ? static_cast<otlp::Temporality>(value) : otlp::Temporality::kUnspecified;
      } else if (reader.tag_and_type() == MetricDataField::kIsMonotonic.tag) {
        place_.is_monotonic = reader.varint() != 0;
      } else {
        reader.pass_over(MetricDataField::kKnown);
      }
    }
  }

  bool points(std::string_view field, const MetricData& data, Fate fate) {
    if (fate == Fate::kPass) {
      pieces_.append_source(field);
      return false;
    }
    const Level level = begin(field);
    bool is_changed = false;
    FieldReader reader(data.bytes);
    while (reader.next()) {
      if (reader.tag_and_type() == MetricDataField::kPoints.tag) {
        const std::string_view point = reader.bytes();
        is_changed =
            item(field_of(reader), point, MetricDataField::kPoints.number, data.kind) || is_changed;
      } else {
        reader.pass_over(MetricDataField::kOfAll);
        pieces_.append_source(field_of(reader));
      }
    }
    return end(level, static_cast<std::uint32_t>(data.kind), is_changed);
  }

  bool item(std::string_view field, std::string_view bytes, std::uint32_t number, MetricKind kind) {
    note_items(1);
    if (bytes.size() > limits_.item_bytes) {
      pieces_.append_source(field);
      return false;
    }
    item_.open(bytes, attributes_field(signal_, kind), limits_.is_protected);
    if (editor_.on_item(place_, item_) == Fate::kDrop) {
      ++dropped_;
      return true;
    }
    if (!item_.is_changed()) {
      pieces_.append_source(field);
      return false;
    }
    content_.clear();
    item_.append_to(content_);
    text_.clear();
    append_prefix(text_, number, content_.size());
    pieces_.append_made(text_);
    pieces_.append_made(content_);
    bound_made();
    return true;
  }

  std::uint32_t items_of_scope(std::string_view bytes) const {
    if (signal_ != Signal::kMetrics) return count(bytes, GroupField::kMembers);
    std::uint32_t items = 0;
    for_each_message(bytes, GroupField::kMembers, [&](std::string_view metric) {
      items += count(read_data(metric).bytes, MetricDataField::kPoints);
    });
    return items;
  }
  std::uint32_t items_of_group(std::string_view bytes) const {
    std::uint32_t items = 0;
    for_each_message(bytes, GroupField::kMembers,
                     [&](std::string_view scope) { items += items_of_scope(scope); });
    return items;
  }

  const Signal signal_;
  const std::string_view body_;
  Editor& editor_;
  const EditLimits limits_;
  Pieces pieces_;
  Editable resource_;
  Editable scope_;
  Editable metric_;
  Editable item_;
  EditPlace place_{resource_, scope_, metric_};
  std::string text_;     // of a gap
  std::string content_;  // of what needs its length in front of it
  std::uint32_t seen_ = 0;
  std::uint32_t dropped_ = 0;
  std::uint32_t empty_envelopes_ = 0;
};

tl::unexpected<Error> damaged(Signal signal, std::string_view why) {
  return fail(ErrorCode::kInvalid,
              fmt::format("not an OTLP {} request: {}", to_string(signal), why));
}

}  // namespace

ProtoField attributes_field(Signal signal, MetricKind kind) {
  if (signal == Signal::kTraces) return otlp::SpanField::kAttributes;
  if (signal == Signal::kLogs) return otlp::LogRecordField::kAttributes;
  switch (kind) {
    case MetricKind::kNone:
      return Editable::kNoAttributes;
    case MetricKind::kGauge:
    case MetricKind::kSum:
      return otlp::NumberPointField::kAttributes;
    case MetricKind::kHistogram:
      return otlp::HistogramPointField::kAttributes;
    case MetricKind::kExponentialHistogram:
      return otlp::ExponentialPointField::kAttributes;
    case MetricKind::kSummary:
      return otlp::SummaryPointField::kAttributes;
  }
  return Editable::kNoAttributes;
}

Result<Edited> edit(Signal signal, std::string_view body, Editor& editor,
                    const EditLimits& limits) {
  if (body.size() > kBodyBytesMax)
    return fail(ErrorCode::kTooLarge, "an OTLP request of more than 2 GiB");
  try {
    return Pass(signal, body, editor, limits).run();
  } catch (const EditRefused& refused) {
    if (refused.code == ErrorCode::kInvalid) return damaged(signal, refused.message);
    return fail(refused.code, refused.message);
  } catch (const TooManyAttributes&) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("more than {} attributes in one message", kMessageAttributesMax));
  } catch (const protozero::exception& damage) {
    return damaged(signal, damage.what());
  }
}

}  // namespace vigia::wire::edit
