#include "libs/wire/edit/editable.hpp"

#include <algorithm>
#include <cstring>

#include <protozero/pbf_writer.hpp>

#include "libs/base/check.hpp"
#include "libs/wire/otlp/attributes.hpp"

namespace vigia::wire::edit {
namespace {

using otlp::FieldReader;
using otlp::KeyValueField;

std::string_view raw_of(const FieldReader& reader) {
  return {reader.field_begin(), static_cast<std::size_t>(reader.position() - reader.field_begin())};
}

constexpr std::uint32_t kTypeBits = 7;

void append_key_value(std::string& out, std::uint32_t number,
                      const Editable::Attribute& attribute) {
  protozero::pbf_writer writer(out);
  protozero::pbf_writer entry(writer, number);
  entry.add_bytes(KeyValueField::kKey.number, attribute.key.data(), attribute.key.size());
  entry.add_bytes(KeyValueField::kValue.number, attribute.value.data(), attribute.value.size());
}

}  // namespace

void Editable::open(std::string_view source, ProtoField attributes, IsProtected is_protected) {
  source_ = source;
  is_protected_ = is_protected;
  attributes_field_ = attributes;
  is_changed_ = false;
  are_attributes_read_ = false;
  are_attributes_changed_ = false;
  attributes_.clear();
  changes_.clear();
  if (has_made_) made_.release();
  has_made_ = false;
}

std::string_view Editable::keep(std::string_view text) {
  if (text.empty()) return {};
  has_made_ = true;
  auto* const kept = static_cast<char*>(made_.allocate(text.size(), 1));
  std::memcpy(kept, text.data(), text.size());
  return {kept, text.size()};
}

// Fields that stand once

std::string_view Editable::last_raw(ProtoField field) const {
  for (const Change& change : changes_) {
    if (change.field.number == field.number)
      return change.field.tag == field.tag ? change.raw : std::string_view{};
  }
  std::string_view raw;
  FieldReader reader(source_);
  while (reader.next()) {
    const bool is_it = reader.tag_and_type() == field.tag;
    reader.skip();
    if (is_it) raw = raw_of(reader);
  }
  return raw;
}

bool Editable::has(ProtoField field) const { return !last_raw(field).empty(); }

std::string_view Editable::bytes(ProtoField field) const {
  FieldReader reader(last_raw(field));
  return reader.next() ? reader.bytes() : std::string_view{};
}

std::uint64_t Editable::number(ProtoField field) const {
  FieldReader reader(last_raw(field));
  if (!reader.next()) return 0;
  switch (static_cast<otlp::pbf_wire_type>(field.tag & kTypeBits)) {
    case otlp::pbf_wire_type::varint:
      return reader.varint();
    case otlp::pbf_wire_type::fixed64:
      return reader.fixed64();
    case otlp::pbf_wire_type::fixed32:
      return reader.fixed32();
    default:
      return 0;
  }
}

void Editable::change(ProtoField field, std::string_view raw) {
  CHECK(field.number != attributes_field_.number);
  is_changed_ = true;
  for (Change& change : changes_) {
    if (change.field.number != field.number) continue;
    change = {field, raw};
    return;
  }
  changes_.push_back({field, raw});
}

void Editable::set_bytes(ProtoField field, std::string_view value) {
  std::string raw;
  protozero::pbf_writer(raw).add_bytes(field.number, value.data(), value.size());
  change(field, keep(raw));
}

void Editable::set_number(ProtoField field, std::uint64_t value) {
  std::string raw;
  protozero::pbf_writer writer(raw);
  switch (static_cast<otlp::pbf_wire_type>(field.tag & kTypeBits)) {
    case otlp::pbf_wire_type::fixed64:
      writer.add_fixed64(field.number, value);
      break;
    case otlp::pbf_wire_type::fixed32:
      writer.add_fixed32(field.number, static_cast<std::uint32_t>(value));
      break;
    default:
      writer.add_uint64(field.number, value);
  }
  change(field, keep(raw));
}

void Editable::set_fields(ProtoField field, std::string_view encoded) {
  change(field, keep(encoded));
}

void Editable::clear(ProtoField field) { change(field, {}); }

bool Editable::is_replaced(std::uint32_t number) const {
  return std::any_of(changes_.begin(), changes_.end(),
                     [number](const Change& change) { return change.field.number == number; });
}

// Attributes

void Editable::read_attributes() {
  if (are_attributes_read_) return;
  are_attributes_read_ = true;
  if (attributes_field_.number == 0) return;
  FieldReader reader(source_);
  while (reader.next()) {
    if (reader.tag_and_type() != attributes_field_.tag) {
      reader.skip();
      continue;
    }
    if (attributes_.size() == kMessageAttributesMax) throw TooManyAttributes{};
    const otlp::KeyValueView entry = otlp::read_key_value(reader.bytes());
    attributes_.push_back({entry.key, entry.value, raw_of(reader)});
  }
}

std::optional<std::size_t> Editable::find(std::string_view key) {
  read_attributes();
  for (std::size_t at = attributes_.size(); at > 0; --at) {
    const Attribute& attribute = attributes_[at - 1];
    if (attribute.is_there && attribute.key == key) return at - 1;
  }
  return std::nullopt;
}

std::optional<std::string_view> Editable::attribute(std::string_view key) {
  const auto at = find(key);
  if (!at) return std::nullopt;
  return attributes_[*at].value;
}

std::size_t Editable::attributes() {
  read_attributes();
  return static_cast<std::size_t>(std::count_if(attributes_.begin(), attributes_.end(),
                                                [](const auto& each) { return each.is_there; }));
}

void Editable::set_attribute(std::string_view key, std::string_view any_value) {
  if (is_kept_out(key)) return;
  const auto at = find(key);
  if (!at) {
    is_changed_ = are_attributes_changed_ = true;
    if (attributes_.size() == kMessageAttributesMax) throw TooManyAttributes{};
    attributes_.push_back({keep(key), keep(any_value), {}});
    return;
  }
  for (std::size_t other = 0; other < *at; ++other) {
    if (!attributes_[other].is_there || attributes_[other].key != key) continue;
    attributes_[other].is_there = false;
    is_changed_ = are_attributes_changed_ = true;
  }
  if (attributes_[*at].value == any_value) return;
  is_changed_ = are_attributes_changed_ = true;
  attributes_[*at].value = keep(any_value);
  attributes_[*at].raw = {};
}

bool Editable::erase_attribute(std::string_view key) {
  if (is_kept_out(key)) return false;
  read_attributes();
  bool was_there = false;
  for (Attribute& attribute : attributes_) {
    if (!attribute.is_there || attribute.key != key) continue;
    attribute.is_there = false;
    was_there = true;
  }
  if (was_there) is_changed_ = are_attributes_changed_ = true;
  return was_there;
}

std::string_view Editable::AttributeRef::key() const { return message_.attributes_[at_].key; }
std::string_view Editable::AttributeRef::value() const { return message_.attributes_[at_].value; }

void Editable::AttributeRef::set_value(std::string_view any_value) {
  Attribute& attribute = message_.attributes_[at_];
  if (message_.is_kept_out(attribute.key)) return;
  attribute.value = message_.keep(any_value);
  attribute.raw = {};
  message_.is_changed_ = message_.are_attributes_changed_ = true;
}

void Editable::AttributeRef::set_key(std::string_view key) {
  Attribute& attribute = message_.attributes_[at_];
  if (message_.is_kept_out(attribute.key) || message_.is_kept_out(key)) return;
  attribute.key = message_.keep(key);
  attribute.raw = {};
  message_.is_changed_ = message_.are_attributes_changed_ = true;
}

void Editable::AttributeRef::erase() {
  if (message_.is_kept_out(key())) return;
  message_.attributes_[at_].is_there = false;
  message_.is_changed_ = message_.are_attributes_changed_ = true;
}

void Editable::append_to(std::string& out, std::uint32_t left_out) const {
  if (!is_changed_ && left_out == 0) {
    out += source_;
    return;
  }
  std::size_t next_attribute = 0;
  const auto append_attribute = [&](const Attribute& attribute) {
    if (!attribute.is_there) return;
    if (attribute.raw.empty()) {
      append_key_value(out, attributes_field_.number, attribute);
    } else {
      out += attribute.raw;
    }
  };
  FieldReader reader(source_);
  while (reader.next()) {
    const bool is_attribute =
        are_attributes_changed_ && reader.tag_and_type() == attributes_field_.tag;
    const std::uint32_t number = reader.number();
    reader.skip();
    if (number == left_out || is_replaced(number)) continue;
    if (is_attribute) {
      append_attribute(attributes_[next_attribute++]);
    } else {
      out += raw_of(reader);
    }
  }
  if (are_attributes_changed_) {
    for (; next_attribute < attributes_.size(); ++next_attribute)
      append_attribute(attributes_[next_attribute]);
  }
  for (const Change& change : changes_) out += change.raw;
}

}  // namespace vigia::wire::edit
