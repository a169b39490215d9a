#include "libs/wire/otlp/rewrite.hpp"

#include <fmt/format.h>
#include <protozero/pbf_writer.hpp>

#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/otlp/items.hpp"

namespace vigia::wire::otlp {
namespace {

constexpr std::string_view kCustomerKey = "customer.id";

/// Copies a message field by field; `change` may write a field in another form, and then says so.
template <typename Change>
std::string copied(std::string_view bytes, Change&& change) {
  std::string out;
  out.reserve(bytes.size() + 64);
  FieldReader reader(bytes);
  while (reader.next()) {
    const char* begin = reader.field_begin();
    if (change(reader, out)) continue;
    out.append(begin, reader.position());
  }
  return out;
}

class Rewriting {
 public:
  Rewriting(Signal signal, const Additions& additions)
      : signal_(signal), customer_(additions.customer), time_ns_(additions.first_time_ns) {}

  std::string body(std::string_view bytes) {
    return copied(bytes, [this](FieldReader& reader, std::string& out) {
      return put(reader, ExportRequestField::kGroups.tag, out,
                 [this](std::string_view inner) { return resource(inner); });
    });
  }

 private:
  bool adds_times() const { return time_ns_ != 0 && signal_ != Signal::kMetrics; }

  /// Writes the current field with its content changed, where it is that one; else skips it.
  template <typename Inner>
  static bool put(FieldReader& reader, std::uint32_t field, std::string& out, Inner&& inner) {
    if (reader.tag_and_type() != field) {
      reader.skip();
      return false;
    }
    const std::uint32_t number = reader.number();  // forgotten with the bytes
    const std::string content = inner(reader.bytes());
    protozero::pbf_writer(out).add_bytes(number, content);
    return true;
  }

  std::string resource(std::string_view bytes) {
    bool has_head = false;
    std::string out = copied(bytes, [&](FieldReader& reader, std::string& to) {
      if (reader.tag_and_type() == GroupField::kHead.tag) {
        has_head = true;
        return put(reader, GroupField::kHead.tag, to,
                   [this](std::string_view inner) { return head(inner); });
      }
      return put(reader, adds_times() ? GroupField::kMembers.tag : 0, to,
                 [this](std::string_view inner) { return scope(inner); });
    });
    if (!has_head && !customer_.empty())
      protozero::pbf_writer(out).add_bytes(GroupField::kHead.number, head({}));
    return out;
  }

  std::string head(std::string_view bytes) const {
    std::string out(bytes);
    if (!customer_.empty() && names_nobody(bytes)) append_customer(out);
    return out;
  }

  void append_customer(std::string& out) const {
    protozero::pbf_writer resource(out);
    protozero::pbf_writer attribute(resource, ResourceField::kAttributes.number);
    attribute.add_string(KeyValueField::kKey.number, kCustomerKey.data(), kCustomerKey.size());
    protozero::pbf_writer value(attribute, KeyValueField::kValue.number);
    value.add_string(AnyValueField::kString.number, customer_.data(), customer_.size());
  }

  std::string scope(std::string_view bytes) {
    return copied(bytes, [this](FieldReader& reader, std::string& out) {
      return put(reader, GroupField::kMembers.tag, out, [this](std::string_view inner) {
        return signal_ == Signal::kTraces ? span(inner) : log_record(inner);
      });
    });
  }

  std::string log_record(std::string_view bytes) {
    std::string out(bytes);
    const ItemFacts facts = look_at_log_record(bytes);
    if (facts.is_valid && !facts.has_time)
      // One more each time: records of one body keep their order where the store sorts by time.
      protozero::pbf_writer(out).add_fixed64(LogRecordField::kObservedTime.number, time_ns_++);
    return out;
  }

  /// Its end, where it has one, is the best that is known of its start.
  std::string span(std::string_view bytes) {
    std::string out(bytes);
    const ItemFacts facts = look_at_span(bytes);
    if (!facts.is_valid || facts.has_time) return out;
    std::uint64_t end_ns = 0;
    FieldReader reader(bytes);
    while (reader.next()) {
      if (reader.tag_and_type() == SpanField::kEndTime.tag) {
        end_ns = reader.fixed64();
      } else {
        reader.skip();
      }
    }
    protozero::pbf_writer writer(out);
    const std::uint64_t time_ns = end_ns != 0 ? end_ns : time_ns_++;
    writer.add_fixed64(SpanField::kStartTime.number, time_ns);
    if (end_ns == 0) writer.add_fixed64(SpanField::kEndTime.number, time_ns);
    return out;
  }

  Signal signal_;
  std::string_view customer_;
  std::uint64_t time_ns_;
};

}  // namespace

bool names_nobody(std::string_view resource) {
  bool says_nothing = true;
  for_each_attribute({resource, ResourceField::kAttributes.number}, [&](const KeyValueView& entry) {
    if (entry.key == kCustomerKey) says_nothing = says_nothing && is_empty_value(entry.value);
  });
  return says_nothing;
}

Result<std::string> with_additions(Signal signal, std::string_view body,
                                   const Additions& additions) {
  try {
    return Rewriting(signal, additions).body(body);
  } catch (const protozero::exception& damage) {
    return fail(ErrorCode::kInvalid,
                fmt::format("not an OTLP {} request: {}", to_string(signal), damage.what()));
  }
}

}  // namespace vigia::wire::otlp
