#include "services/collector/processors/programs/program_pass.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/wire/otlp/fields.hpp"

namespace vigia::collector::processors::programs {
namespace {

using wire::edit::Editable;
using wire::otlp::SpanEventField;
using wire::otlp::SpanField;

std::string span_with_events(std::size_t events) {
  std::string bytes = "\x2a\x01n";  // its name
  for (std::size_t i = 0; i < events; ++i) bytes += std::string("\x5a\x03\x12\x01") + "e";
  return bytes;
}

TEST(ForEachEvent, EventsAreChangedAndTakenOut) {
  const std::string bytes = span_with_events(3);
  Editable span(bytes);
  int at = 0;
  for_each_event(span, [&](Editable& event) {
    if (++at == 2) event.set_bytes(SpanEventField::kName, "second");
    return at != 3;
  });
  std::string out;
  span.append_to(out);
  EXPECT_EQ(out, std::string("\x2a\x01n\x5a\x03\x12\x01") + "e\x5a\x08\x12\x06second");
}

TEST(ForEachEvent, ASpanThatIsNotChangedStaysAsItIs) {
  const std::string bytes = span_with_events(3);
  Editable span(bytes);
  for_each_event(span, [](Editable& /*event*/) { return true; });
  EXPECT_FALSE(span.is_changed());
}

TEST(ForEachEvent, MoreThanAreKeptAreNotLookedAt) {
  const std::string bytes = span_with_events(1025);
  Editable span(bytes);
  for_each_event(span, [](Editable& /*event*/) { return false; });
  EXPECT_FALSE(span.is_changed()) << "the check refuses it behind the processors";
}

}  // namespace
}  // namespace vigia::collector::processors::programs
