#include "libs/wire/edit/editable.hpp"

#include <bit>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/trace/v1/trace.pb.h>

#include "libs/wire/edit/value.hpp"

namespace vigia::wire::edit {
namespace {

using opentelemetry::proto::trace::v1::Span;
using otlp::SpanField;
using ::testing::ElementsAre;

Span some_span() {
  Span span;
  span.set_name("GET /");
  span.set_kind(Span::SPAN_KIND_SERVER);
  span.set_start_time_unix_nano(7);
  for (const char* key : {"a", "b", "a", "c"}) {
    auto* attribute = span.add_attributes();
    attribute->set_key(key);
    attribute->mutable_value()->set_int_value(span.attributes_size());
  }
  return span;
}

std::int64_t int_of(std::optional<std::string_view> value) {
  return value ? read_value(*value).integer : -1;
}

Span read(const Editable& message) {
  std::string bytes;
  message.append_to(bytes);
  Span span;
  EXPECT_TRUE(span.ParseFromString(bytes));
  return span;
}

std::vector<std::string> keys_of(const Span& span) {
  std::vector<std::string> keys;
  for (const auto& attribute : span.attributes()) keys.push_back(attribute.key());
  return keys;
}

TEST(Editable, ReadsFieldsAndTheLastOfSeveralAttributes) {
  const std::string bytes = some_span().SerializeAsString();
  Editable message(bytes, SpanField::kAttributes);
  EXPECT_EQ(message.bytes(SpanField::kName), "GET /");
  EXPECT_EQ(message.number(SpanField::kKind), 2U);
  EXPECT_EQ(message.number(SpanField::kStartTime), 7U);
  EXPECT_EQ(message.number(SpanField::kEndTime), 0U);
  EXPECT_FALSE(message.has(SpanField::kStatus));
  EXPECT_EQ(int_of(message.attribute("a")), 3);
  EXPECT_EQ(message.attribute("z"), std::nullopt);
  EXPECT_EQ(message.attributes(), 4U);
  EXPECT_FALSE(message.is_changed());
  EXPECT_EQ(read(message).SerializeAsString(), bytes);
}

TEST(Editable, WritesWhatWasSetAndKeepsTheRest) {
  const std::string bytes = some_span().SerializeAsString();
  Editable message(bytes, SpanField::kAttributes);
  message.set_bytes(SpanField::kName, "new");
  message.set_bytes(SpanField::kName, "newer");
  message.set_number(SpanField::kEndTime, 9);
  message.clear(SpanField::kKind);
  Editable status(message.bytes(SpanField::kStatus));
  status.set_number(otlp::SpanStatusField::kCode, 2);
  std::string encoded;
  status.append_to(encoded);
  message.set_bytes(SpanField::kStatus, encoded);
  EXPECT_EQ(message.bytes(SpanField::kName), "newer");
  auto expected = some_span();
  expected.set_name("newer");
  expected.set_end_time_unix_nano(9);
  expected.clear_kind();
  expected.mutable_status()->set_code(opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  EXPECT_EQ(read(message).SerializeAsString(), expected.SerializeAsString());
}

TEST(Editable, ASetAttributeStandsOnce) {
  const std::string bytes = some_span().SerializeAsString();
  Editable message(bytes, SpanField::kAttributes);
  message.set_attribute("a", *message.attribute("c"));
  message.set_attribute("d", *message.attribute("a"));
  EXPECT_THAT(keys_of(read(message)), ElementsAre("b", "a", "c", "d"));
  EXPECT_EQ(read(message).attributes(3).value().int_value(), 4);
  EXPECT_TRUE(message.erase_attribute("c"));
  EXPECT_FALSE(message.erase_attribute("c"));
  message.set_attribute("c", encoded_value(ValueView::of_bool(true)));
  EXPECT_THAT(keys_of(read(message)), ElementsAre("b", "a", "d", "c"));
  EXPECT_TRUE(read(message).attributes(3).value().bool_value());
}

TEST(Editable, SetToWhatItIsItIsNotChanged) {
  const std::string bytes = some_span().SerializeAsString();
  Editable message(bytes, SpanField::kAttributes);
  message.set_attribute("b", encoded_value(ValueView::of_int(2)));
  EXPECT_FALSE(message.is_changed());
}

TEST(Editable, EachAttributeMayBeChangedWhileTheyAreShown) {
  const std::string bytes = some_span().SerializeAsString();
  Editable message(bytes, SpanField::kAttributes);
  message.for_each_attribute([](Editable::AttributeRef& attribute) {
    if (attribute.key() == "a") attribute.erase();
    if (attribute.key() == "c") attribute.set_key("see");
    if (attribute.key() == "b") attribute.set_value(encoded_value(ValueView::of_text("two")));
  });
  const Span span = read(message);
  EXPECT_THAT(keys_of(span), ElementsAre("b", "see"));
  EXPECT_EQ(span.attributes(0).value().string_value(), "two");
}

TEST(Editable, NobodyTouchesWhatIsProtected) {
  const std::string bytes = some_span().SerializeAsString();
  Editable message(bytes, SpanField::kAttributes, [](std::string_view key) { return key == "b"; });
  message.set_attribute("b", encoded_value(ValueView::of_int(9)));
  EXPECT_FALSE(message.erase_attribute("b"));
  message.for_each_attribute([](Editable::AttributeRef& attribute) {
    if (attribute.key() == "c") attribute.set_key("b");
    if (attribute.key() != "b") return;
    attribute.set_value({});
    attribute.set_key("other");
    attribute.erase();
  });
  EXPECT_FALSE(message.is_changed());
  EXPECT_EQ(int_of(message.attribute("b")), 2);
}

TEST(Editable, ViewsStayWhereTheyAreWhileMoreIsSet) {
  Editable message({}, SpanField::kAttributes);
  message.set_attribute("first", encoded_value(ValueView::of_text("kept")));
  const std::string_view first = *message.attribute("first");
  for (int i = 0; i < 1000; ++i)
    message.set_attribute("k" + std::to_string(i),
                          encoded_value(ValueView::of_text(std::string(100, 'x'))));
  EXPECT_EQ(read_value(first).bytes, "kept");
  message.open({});
  EXPECT_FALSE(message.is_changed());
  EXPECT_EQ(message.attributes(), 0U);
}

TEST(Editable, RepeatedMessagesArePutInThePlaceOfAll) {
  const std::string events =
      "\x5a\x03\x12\x01"
      "a"
      "\x5a\x03\x12\x01"
      "b";
  const std::string bytes = events + "\x2a\x01n";
  Editable span(bytes);
  span.set_fields(SpanField::kEvents,
                  "\x5a\x03\x12\x01"
                  "c");
  std::string out;
  span.append_to(out);
  EXPECT_EQ(out,
            "\x2a\x01n\x5a\x03\x12\x01"
            "c");
}

TEST(Editable, AttributesWithoutEndAreRefused) {
  std::string bytes;
  for (std::size_t i = 0; i <= kMessageAttributesMax; ++i) bytes += std::string("\x4a\x00", 2);
  Editable message(bytes, SpanField::kAttributes);
  EXPECT_THROW(message.attributes(), TooManyAttributes);
}

TEST(Value, OfEveryKindIsReadAsItWasWritten) {
  const std::string list = "\x0a\x03\x0a\x01k";
  for (const ValueView& value :
       {ValueView{}, ValueView::of_text("t"), ValueView::of_bool(true), ValueView::of_int(-5),
        ValueView::of_double(0.25), ValueView{ValueKind::kBytes, "b"},
        ValueView{ValueKind::kArray, ""}, ValueView{ValueKind::kList, list}}) {
    const std::string encoded = encoded_value(value);
    const ValueView again = read_value(encoded);
    EXPECT_EQ(again.kind, value.kind);
    EXPECT_EQ(again.bytes, value.bytes);
    EXPECT_EQ(again.integer, value.integer);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(again.real), std::bit_cast<std::uint64_t>(value.real));
    EXPECT_EQ(again.truth, value.truth);
  }
}

}  // namespace
}  // namespace vigia::wire::edit
