// One message of a request that may be read and changed: a resource, a scope, a metric, a data
// point, a span, a log record, or what lies in one of them (a status, an event).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/wire/otlp/fields.hpp"

namespace vigia::wire::edit {

using otlp::ProtoField;

/// Attributes of one message beyond which it is not taken apart: some are some MiB of memory.
inline constexpr std::size_t kMessageAttributesMax = 65'536;

/// Thrown where a message has more: `edit` makes kTooLarge of it.
struct TooManyAttributes {};

/// Says of an attribute's key that nobody may set it or take it out.
using IsProtected = bool (*)(std::string_view key);

/// A message as it came, and what is to be changed in it. Fields that nobody has set, unknown ones
/// too, are written as they came. All views that it gives, also of what was set, live until the
/// next `open`. Reading throws protozero::exception on damaged bytes. Thread contract: one thread.
class Editable {
 public:
  /// A message without attributes has no field for them.
  static constexpr ProtoField kNoAttributes{0, 0};

  Editable() = default;
  explicit Editable(std::string_view source, ProtoField attributes = kNoAttributes,
                    IsProtected is_protected = nullptr) {
    open(source, attributes, is_protected);
  }
  Editable(const Editable&) = delete;
  Editable& operator=(const Editable&) = delete;

  /// Begins anew: `source` is the encoded message and has to outlive the use of it. What is to be
  /// done to a protected attribute is not done, and nobody is told.
  void open(std::string_view source, ProtoField attributes = kNoAttributes,
            IsProtected is_protected = nullptr);
  std::string_view source() const { return source_; }
  bool is_changed() const { return is_changed_; }

  // Fields that stand once; of several the last one counts, as in every reader of protobuf.

  bool has(ProtoField field) const;
  /// Of a text, of bytes, of an encoded message. "" where there is none.
  std::string_view bytes(ProtoField field) const;
  /// Of a varint, a fixed64 or a fixed32, as its bits. 0 where there is none.
  std::uint64_t number(ProtoField field) const;
  // REQUIRES: it is not the field of the attributes, which are set one by one.

  void set_bytes(ProtoField field, std::string_view value);
  void set_number(ProtoField field, std::uint64_t value);
  /// Puts whole fields, each with its tag, in the place of every one of that number: of repeated
  /// messages, as the events of a span.
  void set_fields(ProtoField field, std::string_view encoded);
  /// Takes out every field of that number. Where a field is one of several of which one may stand
  /// (a point's int or double), who sets one clears the other.
  void clear(ProtoField field);

  // Attributes. A value is an encoded AnyValue (value.hpp). Of several of one key the last counts.

  std::optional<std::string_view> attribute(std::string_view key);
  /// In the place of the one that is there, else at the end. Others of the same key go.
  void set_attribute(std::string_view key, std::string_view any_value);
  /// All of that key. False where there was none.
  bool erase_attribute(std::string_view key);

  struct Attribute;
  /// What for_each_attribute shows: one attribute, that its visitor may change or take out.
  class AttributeRef {
   public:
    std::string_view key() const;
    std::string_view value() const;
    void set_value(std::string_view any_value);
    void set_key(std::string_view key);
    void erase();

   private:
    friend class Editable;
    AttributeRef(Editable& message, std::size_t at) : message_(message), at_(at) {}
    Editable& message_;
    std::size_t at_;
  };
  /// In their order, those that are there when it is called; `visit(AttributeRef&)` changes
  /// attributes through what it is given alone.
  template <typename Visit>
  void for_each_attribute(Visit&& visit) {
    read_attributes();
    for (std::size_t at = 0; at < attributes_.size(); ++at) {
      if (!attributes_[at].is_there) continue;
      AttributeRef attribute(*this, at);
      visit(attribute);
    }
  }
  std::size_t attributes();

  /// The message as it is now; `left_out`: without the fields of that number.
  void append_to(std::string& out, std::uint32_t left_out = 0) const;

  struct Attribute {
    std::string_view key;
    std::string_view value;
    std::string_view raw;  ///< the field as it came, with its tag; "" where it is to be written
    bool is_there = true;
  };

 private:
  struct Change {
    ProtoField field;
    std::string_view raw;  ///< with its tag; "": no such field stands there
  };

  void read_attributes();
  std::optional<std::size_t> find(std::string_view key);
  std::string_view keep(std::string_view text);
  bool is_kept_out(std::string_view key) const {
    return is_protected_ != nullptr && is_protected_(key);
  }
  void change(ProtoField field, std::string_view raw);
  /// The last field of that number and type with its tag; "" where there is none.
  std::string_view last_raw(ProtoField field) const;
  bool is_replaced(std::uint32_t number) const;

  std::string_view source_;
  ProtoField attributes_field_ = kNoAttributes;
  IsProtected is_protected_ = nullptr;
  bool is_changed_ = false;
  bool are_attributes_read_ = false;
  bool are_attributes_changed_ = false;
  std::vector<Attribute> attributes_;
  std::vector<Change> changes_;
  // What was set. It grows with each setting and is given back with the message, so that no view
  // of a text moves while a processor reads one attribute to write another.
  std::array<std::byte, 1024> room_;
  std::pmr::monotonic_buffer_resource made_{room_.data(), room_.size()};
  bool has_made_ = false;
};

}  // namespace vigia::wire::edit
