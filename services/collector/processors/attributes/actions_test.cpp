#include "services/collector/processors/attributes/actions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/hex.hpp"
#include "libs/wire/edit/value.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "services/collector/processors/attributes/read_actions.hpp"
#include "services/collector/processors/edit_body.hpp"

namespace vigia::collector::processors::attributes {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using wire::edit::Editable;
using wire::edit::encoded_value;
using wire::edit::ValueKind;
using wire::edit::ValueView;

class ActionsTest : public ::testing::Test {
 protected:
  ActionsTest() {
    message_.open({}, wire::otlp::SpanField::kAttributes, is_fenced);
    put("text", ValueView::of_text("GET /a/b"));
    put("number", ValueView::of_int(404));
    put("truth", ValueView::of_bool(true));
    put("real", ValueView::of_double(2.75));
  }
  void put(const std::string& key, const ValueView& value) {
    message_.set_attribute(key, encoded_value(value));
  }
  /// What the attributes of which that is the beginning are afterwards.
  std::vector<std::string> after(const std::string& actions) {
    const auto file = service::ConfigFile::parse("a:\n" + actions, "c.yaml");
    apply_actions(read_actions(file->root().child("a")), message_);
    EXPECT_TRUE(file->finish().has_value()) << file->finish().error().message;
    std::vector<std::string> all;
    message_.for_each_attribute([&](Editable::AttributeRef& attribute) {
      std::string text(attribute.key());
      constexpr std::string_view kKinds = "-tbidBal";
      text += std::string(":") +
              kKinds[static_cast<std::size_t>(wire::edit::read_value(attribute.value()).kind)] +
              "=";
      wire::otlp::append_value_text(text, attribute.value());
      all.push_back(text);
    });
    return all;
  }

  Editable message_;
};

TEST_F(ActionsTest, InsertIsForKeysThatAreNotThere) {
  EXPECT_THAT(
      after("- {key: text, value: new, action: insert}\n"
            "- {key: more, value: 7, action: insert}\n"
            "- {key: copy, from_attribute: number, action: insert}\n"
            "- {key: none, from_attribute: nobody, action: insert}\n"
            "- {key: unset, value: '', default_value: y, action: insert}\n"
            "- {key: fallback, from_attribute: nobody, default_value: x, action: insert}\n"),
      ElementsAre("text:t=GET /a/b", "number:i=404", "truth:b=true", "real:d=2.75", "more:i=7",
                  "copy:i=404", "unset:t=y", "fallback:t=x"));
}

TEST_F(ActionsTest, UpdateIsForKeysThatAreThere) {
  EXPECT_THAT(after("- {key: text, value: new, action: update}\n"
                    "- {key: more, value: 7, action: UPDATE}\n"
                    "- {key: number, from_attribute: truth, action: update}\n"
                    "- {key: real, from_attribute: nobody, action: update}\n"),
              ElementsAre("text:t=new", "number:b=true", "truth:b=true", "real:d=2.75"));
}

TEST_F(ActionsTest, UpsertIsForBoth) {
  EXPECT_THAT(after("- {key: text, value: new, action: upsert}\n"
                    "- {key: more, value: '7', action: upsert}\n"),
              ElementsAre("text:t=new", "number:i=404", "truth:b=true", "real:d=2.75", "more:t=7"));
}

TEST_F(ActionsTest, DeleteTakesAKeyAndWhatAPatternMatches) {
  EXPECT_THAT(after("- {key: truth, pattern: ^re, action: delete}\n"
                    "- {key: nobody, action: delete}\n"),
              ElementsAre("text:t=GET /a/b", "number:i=404"));
  EXPECT_THAT(after("- {pattern: '^(text|number)$', action: delete}\n"), IsEmpty());
}

TEST_F(ActionsTest, HashIsUpstreams) {
  put("bytes", {ValueKind::kBytes, "x"});
  const auto all = after(
      "- {key: text, action: hash}\n- {pattern: '^(number|truth)$', action: hash}\n"
      "- {key: bytes, action: hash}\n");
  // printf 'GET /a/b' | sha256sum; of 404 as eight bytes; of one byte 1
  EXPECT_THAT(
      all, ElementsAre("text:t=" + sha256_hex("GET /a/b"),
                       "number:t=" + sha256_hex(std::string_view("\x94\x01\0\0\0\0\0\0", 8)),
                       "truth:t=4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a",
                       "real:d=2.75", "bytes:t="));
}

TEST_F(ActionsTest, ExtractMakesAttributesOfNamedGroups) {
  EXPECT_THAT(after("- {key: text, pattern: '^(?P<method>\\w+) /(?P<text>\\w+)(?P<rest>x)?', "
                    "action: extract}\n"
                    "- {key: number, pattern: '(?P<digits>.*)', action: extract}\n"
                    "- {key: text, pattern: '^(?P<no>zzz)', action: extract}\n"),
              ElementsAre("text:t=a", "number:i=404", "truth:b=true", "real:d=2.75", "method:t=GET",
                          "rest:t="));
}

TEST_F(ActionsTest, ConvertChangesTypesWhereItCan) {
  put("digits", ValueView::of_text("-12"));
  put("decimal", ValueView::of_text("+1.5"));
  put("huge", ValueView::of_double(1e300));
  EXPECT_THAT(after("- {key: number, converted_type: string, action: convert}\n"
                    "- {key: truth, converted_type: int, action: convert}\n"
                    "- {key: real, converted_type: int, action: convert}\n"
                    "- {key: digits, converted_type: int, action: convert}\n"
                    "- {key: decimal, converted_type: double, action: convert}\n"
                    "- {key: huge, converted_type: int, action: convert}\n"
                    "- {key: text, converted_type: int, action: convert}\n"
                    "- {key: nobody, converted_type: int, action: convert}\n"),
              ElementsAre("text:t=GET /a/b", "number:t=404", "truth:i=1", "real:i=2",
                          "digits:i=-12", "decimal:d=1.5", "huge:i=9223372036854775807"));
  EXPECT_THAT(after("- {key: truth, converted_type: double, action: convert}\n"
                    "- {key: text, converted_type: double, action: convert}\n")
                  .at(2),
              "truth:d=1");
}

// C62: whose data it is, is the token's to say.
TEST_F(ActionsTest, WhatSaysWhoseItIsStaysWhateverAPatternFinds) {
  Editable resource;
  const auto file =
      service::ConfigFile::parse("a: [{pattern: '^cu.*d$', action: delete}]", "c.yaml");
  const auto actions = read_actions(file->root().child("a"));
  EXPECT_FALSE(file->finish().has_value());
  std::string bytes;
  Editable source({}, wire::otlp::ResourceField::kAttributes);
  source.set_attribute("customer..id", encoded_value(ValueView::of_text("a")));
  source.append_to(bytes);
  resource.open(bytes, wire::otlp::ResourceField::kAttributes, is_fenced);
  apply_actions(actions, resource);
  EXPECT_FALSE(resource.is_changed());
}

}  // namespace
}  // namespace vigia::collector::processors::attributes
