#include "services/storage/api/json_cost.hpp"

#include <algorithm>

#include "libs/base/json_text.hpp"
#include "libs/wire/otlp/field_reader.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::storage::api {
namespace {

using wire::otlp::AnyValueField;
using wire::otlp::FieldReader;
using wire::otlp::LogRecordField;
using wire::otlp::ResourceField;
using wire::otlp::ScopeField;
using wire::otlp::SpanEventField;
using wire::otlp::SpanField;
using wire::otlp::SpanStatusField;
using wire::otlp::ValuesField;

// The text around each, with the longest numbers, types and names of its own, and a comma.
constexpr std::size_t kSpanText = 400;  // its status, kind and parent too
constexpr std::size_t kRecordText = 160;
constexpr std::size_t kProcessText = 128;
constexpr std::size_t kTagText = 48;
constexpr std::size_t kStatusText = 192;
constexpr std::size_t kReferenceText = 64;
constexpr std::size_t kEventText = 64;
constexpr std::size_t kScalarText = 28;
constexpr std::size_t kHexDigits = 2;  // of a byte
constexpr std::size_t kIdUses = 2;     // of a span's: in the reference to its parent too

// In memory while a value is made: an entry of a list that is sorted, in a table that grows; the
// text of a nested value, which grows, before it becomes a string of JSON.
constexpr std::size_t kEntryBytes = 96;
constexpr std::size_t kTextCopies = 2;
// A label with its view, and its texts: JSON of arrays and lists may be.
constexpr std::size_t kLabelBytes = 160;
constexpr std::size_t kLabelTextGrowth = 6;

// JSON that is a string of JSON: an escape's own backslash and quotes are escaped again.
std::size_t twice_escaped(std::string_view text) {
  std::size_t bytes = 4;
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      bytes += 4;
    } else if (code < 0x20 || code == 0x7f) {
      bytes += 7;
    } else {
      bytes += code < 0x80 ? 1 : 3;  // where it is not UTF-8
    }
  }
  return bytes;
}

// A value inside of an array or a list, as far as it is written.
class Nested {
 public:
  void value(std::string_view any_value, int depth) {
    constexpr std::size_t kNullAndComma = 5;
    bytes_ += kNullAndComma;
    if (depth > wire::otlp::kAnyValueDepthMax) return;
    FieldReader reader(any_value);
    while (reader.next()) field(reader, depth);
  }
  // An array's or a list's, which stands in `depth`.
  void array(std::string_view array, int depth) {
    bytes_ += 2;
    FieldReader reader(array);
    while (reader.next()) {
      if (reader.tag_and_type() == ValuesField::kValues.tag) {
        value(reader.bytes(), depth + 1);
      } else {
        reader.skip();
      }
    }
  }
  void list(std::string_view list, int depth) {
    bytes_ += 2;
    wire::otlp::for_each_attribute({list, ValuesField::kValues.number},
                                   [&](const wire::otlp::KeyValueView& entry) {
                                     ++entries_;
                                     bytes_ += twice_escaped(entry.key) + 1;
                                     value(entry.value, depth + 1);
                                   });
  }
  std::size_t bytes() const { return bytes_; }
  std::size_t entries() const { return entries_; }

 private:
  void field(FieldReader& reader, int depth) {
    switch (reader.tag_and_type()) {
      case AnyValueField::kString.tag:
        bytes_ += twice_escaped(reader.bytes());
        break;
      case AnyValueField::kArray.tag:
        array(reader.bytes(), depth);
        break;
      case AnyValueField::kList.tag:
        list(reader.bytes(), depth);
        break;
      case AnyValueField::kBytes.tag:
        bytes_ += 8 + reader.bytes().size() / 3 * 4;
        break;
      default:
        bytes_ += kScalarText;
        reader.skip();
    }
  }

  std::size_t bytes_ = 0;
  std::size_t entries_ = 0;
};

class Reckoner {
 public:
  void fixed(std::size_t bytes) { cost_.json += bytes; }
  void text(std::string_view text) { cost_.json += json_text_bytes(text); }
  void hex(std::string_view id, std::size_t uses = 1) {
    cost_.json += uses * kHexDigits * id.size();
  }

  // Of several texts in a value the last one counts; the others are there for a while.
  void value(std::string_view any_value) {
    Nested nested;
    std::size_t fields = 0;
    bool is_text = true;
    FieldReader reader(any_value);
    while (reader.next()) {
      ++fields;
      is_text = is_text && reader.tag_and_type() == AnyValueField::kString.tag;
      switch (reader.tag_and_type()) {
        case AnyValueField::kString.tag:
          text(reader.bytes());
          break;
        case AnyValueField::kArray.tag:
          nested.array(reader.bytes(), 1);
          break;
        case AnyValueField::kList.tag:
          nested.list(reader.bytes(), 1);
          break;
        case AnyValueField::kBytes.tag:
          fixed(8 + reader.bytes().size() / 3 * 4);
          break;
        default:
          fixed(kScalarText);
          reader.skip();
      }
    }
    fixed(nested.bytes() + 2);
    if (fields <= 1 && is_text) return;  // written from where it lies
    cost_.scratch = std::max(cost_.scratch, kTextCopies * (any_value.size() + nested.bytes()) +
                                                kEntryBytes * nested.entries());
  }
  void attribute(const wire::otlp::KeyValueView& attribute) {
    fixed(kTagText);
    text(attribute.key);
    value(attribute.value);
  }
  void attributes(const wire::otlp::Attributes& attributes) {
    wire::otlp::for_each_attribute(attributes,
                                   [&](const wire::otlp::KeyValueView& each) { attribute(each); });
  }
  // The texts of a message in these fields, each of which becomes a tag.
  void text_tags(std::string_view message, std::initializer_list<std::uint32_t> fields) {
    FieldReader reader(message);
    while (reader.next()) {
      if (std::find(fields.begin(), fields.end(), reader.tag_and_type()) == fields.end()) {
        reader.skip();
      } else {
        fixed(kTagText);
        text(reader.bytes());
      }
    }
  }
  JsonCost cost() const { return cost_; }

 private:
  JsonCost cost_;
};

void reckon_span_field(FieldReader& reader, Reckoner& reckoner) {
  switch (reader.tag_and_type()) {
    case SpanField::kTraceId.tag:
    case SpanField::kSpanId.tag:
    case SpanField::kParentSpanId.tag:
      reckoner.hex(reader.bytes(), kIdUses);
      break;
    case SpanField::kName.tag:
      reckoner.text(reader.bytes());
      break;
    case SpanField::kAttributes.tag:
      reckoner.attribute(wire::otlp::read_key_value(reader.bytes()));
      break;
    case SpanField::kEvents.tag: {
      const std::string_view event = reader.bytes();
      reckoner.fixed(kEventText);
      reckoner.text_tags(event, {SpanEventField::kName.tag});
      reckoner.attributes({event, SpanEventField::kAttributes.number});
      break;
    }
    case SpanField::kLinks.tag:
      reckoner.fixed(kReferenceText);
      reckoner.hex(reader.bytes());
      break;
    case SpanField::kStatus.tag:
      reckoner.fixed(kStatusText);
      reckoner.text_tags(reader.bytes(), {SpanStatusField::kMessage.tag});
      break;
    default:
      reader.skip();
  }
}

}  // namespace

JsonCost span_cost(const store::EventView& event) {
  Reckoner reckoner;
  reckoner.fixed(kSpanText);
  FieldReader reader(event.item);
  while (reader.next()) reckon_span_field(reader, reckoner);
  reckoner.text_tags(event.scope, {ScopeField::kName.tag, ScopeField::kVersion.tag});
  return reckoner.cost();
}

JsonCost process_cost(std::string_view resource) {
  Reckoner reckoner;
  reckoner.fixed(kProcessText);
  reckoner.attributes({resource, ResourceField::kAttributes.number});
  return reckoner.cost();
}

JsonCost record_cost(const store::EventView& event) {
  Reckoner reckoner;
  reckoner.fixed(kRecordText);
  FieldReader reader(event.item);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case LogRecordField::kSeverityText.tag:
        reckoner.text(reader.bytes());
        break;
      case LogRecordField::kBody.tag:
        reckoner.value(reader.bytes());
        break;
      case LogRecordField::kAttributes.tag:
        reckoner.attribute(wire::otlp::read_key_value(reader.bytes()));
        break;
      case LogRecordField::kTraceId.tag:
      case LogRecordField::kSpanId.tag:
        reckoner.hex(reader.bytes());
        break;
      default:
        reader.skip();
    }
  }
  reckoner.attributes({event.resource, ResourceField::kAttributes.number});
  return reckoner.cost();
}

std::size_t labels_memory(std::string_view resource) {
  std::size_t bytes = kLabelTextGrowth * resource.size();
  wire::otlp::for_each_attribute(
      {resource, ResourceField::kAttributes.number},
      [&](const wire::otlp::KeyValueView& /*each*/) { bytes += kLabelBytes; });
  return bytes;
}

}  // namespace vigia::storage::api
