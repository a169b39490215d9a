#include "libs/wire/otlp/rewrite.hpp"

#include <fmt/format.h>
#include <protozero/pbf_writer.hpp>

#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/field_reader.hpp"
#include "libs/wire/otlp/items.hpp"

namespace vigia::wire::otlp {
namespace {

constexpr std::string_view kCustomerKey = "customer.id";

// The same in Resource{Metrics,Spans,Logs} and Scope{…}: 1 the head, 2 the members.
constexpr std::uint32_t kHead = bytes_field(1);
constexpr std::uint32_t kMember = bytes_field(2);

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
      return put(reader, kHead, out, [this](std::string_view inner) { return resource(inner); });
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
      if (reader.tag_and_type() == kHead) {
        has_head = true;
        return put(reader, kHead, to, [this](std::string_view inner) { return head(inner); });
      }
      return put(reader, adds_times() ? kMember : 0, to,
                 [this](std::string_view inner) { return scope(inner); });
    });
    if (!has_head && !customer_.empty()) protozero::pbf_writer(out).add_bytes(1, head({}));
    return out;
  }

  std::string head(std::string_view bytes) const {
    std::string out(bytes);
    if (!customer_.empty() && names_nobody(bytes)) append_customer(out);
    return out;
  }

  void append_customer(std::string& out) const {
    protozero::pbf_writer resource(out);
    protozero::pbf_writer attribute(resource, 1);
    attribute.add_string(1, kCustomerKey.data(), kCustomerKey.size());
    protozero::pbf_writer value(attribute, 2);
    value.add_string(1, customer_.data(), customer_.size());
  }

  std::string scope(std::string_view bytes) {
    return copied(bytes, [this](FieldReader& reader, std::string& out) {
      return put(reader, kMember, out, [this](std::string_view inner) {
        return signal_ == Signal::kTraces ? span(inner) : log_record(inner);
      });
    });
  }

  std::string log_record(std::string_view bytes) {
    std::string out(bytes);
    const ItemFacts facts = look_at_log_record(bytes);
    if (facts.is_valid && !facts.has_time)
      // One more each time: records of one body keep their order where the store sorts by time.
      protozero::pbf_writer(out).add_fixed64(11, time_ns_++);  // observed_time_unix_nano
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
      if (reader.tag_and_type() == fixed64_field(8)) {
        end_ns = reader.fixed64();
      } else {
        reader.skip();
      }
    }
    protozero::pbf_writer writer(out);
    const std::uint64_t time_ns = end_ns != 0 ? end_ns : time_ns_++;
    writer.add_fixed64(7, time_ns);
    if (end_ns == 0) writer.add_fixed64(8, time_ns);
    return out;
  }

  Signal signal_;
  std::string_view customer_;
  std::uint64_t time_ns_;
};

}  // namespace

bool names_nobody(std::string_view resource) {
  bool says_nothing = true;
  for_each_attribute({resource, 1}, [&](const KeyValueView& entry) {
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
