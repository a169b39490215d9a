#include "libs/wire/edit/value.hpp"

#include <bit>

#include <protozero/pbf_writer.hpp>

#include "libs/wire/otlp/fields.hpp"

namespace vigia::wire::edit {

using otlp::AnyValueField;

ValueView read_value(std::string_view any_value) {
  ValueView value;
  otlp::FieldReader reader(any_value);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case AnyValueField::kString.tag:
        value = ValueView::of_text(reader.bytes());
        break;
      case AnyValueField::kBool.tag:
        value = ValueView::of_bool(reader.varint() != 0);
        break;
      case AnyValueField::kInt.tag:
        value = ValueView::of_int(std::bit_cast<std::int64_t>(reader.varint()));
        break;
      case AnyValueField::kDouble.tag:
        value = ValueView::of_double(reader.real());
        break;
      case AnyValueField::kArray.tag:
        value = {ValueKind::kArray, reader.bytes()};
        break;
      case AnyValueField::kList.tag:
        value = {ValueKind::kList, reader.bytes()};
        break;
      case AnyValueField::kBytes.tag:
        value = {ValueKind::kBytes, reader.bytes()};
        break;
      default:
        reader.skip();
    }
  }
  return value;
}

void append_value(std::string& out, const ValueView& value) {
  protozero::pbf_writer writer(out);
  const auto add_sized = [&](otlp::ProtoField field) {
    writer.add_bytes(field.number, value.bytes.data(), value.bytes.size());
  };
  switch (value.kind) {
    case ValueKind::kEmpty:
      break;
    case ValueKind::kText:
      add_sized(AnyValueField::kString);
      break;
    case ValueKind::kBool:
      writer.add_bool(AnyValueField::kBool.number, value.truth);
      break;
    case ValueKind::kInt:
      writer.add_int64(AnyValueField::kInt.number, value.integer);
      break;
    case ValueKind::kDouble:
      writer.add_double(AnyValueField::kDouble.number, value.real);
      break;
    case ValueKind::kBytes:
      add_sized(AnyValueField::kBytes);
      break;
    case ValueKind::kArray:
      add_sized(AnyValueField::kArray);
      break;
    case ValueKind::kList:
      add_sized(AnyValueField::kList);
      break;
  }
}

std::string encoded_value(const ValueView& value) {
  std::string out;
  append_value(out, value);
  return out;
}

}  // namespace vigia::wire::edit
