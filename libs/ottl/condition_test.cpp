// What conditions say of items: paths, comparisons, converters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/ottl/limits.hpp"
#include "libs/ottl/program.hpp"
#include "libs/ottl/testing/items.hpp"
#include "libs/wire/edit/value.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::ottl {
namespace {

using ::testing::HasSubstr;
using testing::Item;
using ::testing::StartsWith;

TEST(OttlCondition, PathsOfALogRecord) {
  Item item(Context::kLog);
  for (const std::string_view condition :
       {"log.severity_number == 17",
        "severity_number >= SEVERITY_NUMBER_ERROR",
        "log.severity_number < SEVERITY_NUMBER_FATAL",
        "log.severity_text == \"ERROR\"",
        "log.body == \"password=secret user=ana\"",
        "log.body.string == log.body",
        "log.attributes[\"a\"] == \"b\"",
        "attributes[\"n\"] == 7",
        "attributes[\"x\"] == 1.5",
        "attributes[\"yes\"] == true",
        "attributes[\"list\"] == [\"a\", 2]",
        "attributes[\"list\"][1] == 2",
        "attributes[\"map\"][\"in\"] == \"deep\"",
        "attributes[\"map\"] == {\"in\": \"deep\"}",
        "attributes[\"none\"] == nil",
        "attributes[\"map\"][\"none\"] == nil",
        "log.time_unix_nano == 1764489600000000000",
        "log.observed_time_unix_nano == 0",
        "log.flags == 0",
        "log.event_name == \"\"",
        "log.trace_id.string == \"30313233343536373839616263646566\"",
        "log.trace_id == 0x30313233343536373839616263646566",
        "log.trace_id == TraceID(\"30313233343536373839616263646566\")",
        "log.span_id.string == \"0000000000000000\"",
        "log.span_id == 0x0000000000000000",
        "log.dropped_attributes_count == 0",
        "resource.attributes[\"service.name\"] == \"shop\"",
        "resource.attributes[\"customer.id\"] == \"cliente-a\"",
        "scope.name == \"library\"",
        "instrumentation_scope.version == \"1.2\"",
        "scope.attributes[\"a\"] == \"of scope\"",
        "attributes[attributes[\"list\"][0]] == \"b\"",
        "cache[\"x\"] == nil",
        "log.cache[\"x\"] == nil"})
    EXPECT_EQ(item.ask(condition), "true") << condition;
}

TEST(OttlCondition, PathsOfSpansAndEvents) {
  Item item(Context::kSpanEvent);
  for (const std::string_view condition :
       {"spanevent.name == \"exception\"",
        "name == \"exception\"",
        "attributes[\"a\"] == \"of event\"",
        "span.name == \"GET /cart\"",
        "span.kind == SPAN_KIND_SERVER",
        "span.kind.string == \"Server\"",
        "span.kind.deprecated_string == \"SPAN_KIND_SERVER\"",
        "span.status.code == STATUS_CODE_ERROR",
        "span.status.message == \"no stock\"",
        "span.span_id.string == \"3031323334353637\"",
        "span.parent_span_id.string == \"0000000000000000\"",
        "span.trace_state == \"\"",
        "span.attributes[\"a\"] == \"of span\"",
        "span.end_time_unix_nano - span.start_time_unix_nano == 1500000000",
        "(span.end_time - span.start_time) > Duration(\"1s\")",
        "span.end_time - span.start_time == Duration(\"1s500ms\")",
        "span.start_time + Duration(\"1.5s\") == span.end_time",
        "Milliseconds(span.end_time - span.start_time) == 1500",
        "Seconds(span.end_time - span.start_time) == 1.5",
        "UnixSeconds(spanevent.time) == 1764489600",
        "Now() > span.start_time",
        "spanevent.time_unix_nano == 1764489600000000005"})
    EXPECT_EQ(item.ask(condition), "true") << condition;
  EXPECT_EQ(Item(Context::kSpan).ask("IsRootSpan() and name == \"GET /cart\""), "true");
}

TEST(OttlCondition, PathsOfMetricsAndPoints) {
  Item point(Context::kPoint);
  for (const std::string_view condition :
       {"metric.name == \"http.requests\"", "metric.unit == \"1\"", "metric.description == \"\"",
        "metric.type == METRIC_DATA_TYPE_SUM", "metric.is_monotonic == true",
        "metric.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE",
        "datapoint.value_double == 2.5", "value_double > 2", "value_int == 0", "count == nil",
        "datapoint.sum == nil", "flags == FLAG_NONE", "attributes[\"a\"] == \"of point\"",
        "time_unix_nano > 0", "start_time_unix_nano == 0"})
    EXPECT_EQ(point.ask(condition), "true") << condition;
  Item metric(Context::kMetric);
  EXPECT_EQ(metric.ask("HasAttrKeyOnDatapoint(\"a\")"), "true");
  EXPECT_EQ(metric.ask("HasAttrKeyOnDatapoint(\"b\")"), "false");
  EXPECT_EQ(metric.ask("HasAttrOnDatapoint(\"a\", \"of point\") and name == \"http.requests\""),
            "true");
  EXPECT_EQ(metric.ask("HasAttrOnDatapoint(\"n\", \"7\")"), "false") << "it holds an int";
}

TEST(OttlCondition, UnlikeKindsAreUnequalAndNothingElse) {
  Item item(Context::kLog);
  for (const std::string_view condition :
       {"attributes[\"n\"] != \"7\"", "attributes[\"yes\"] != 1", "attributes[\"a\"] != nil",
        "attributes[\"list\"] != \"a\"", "nil == nil", "nil <= attributes[\"none\"]",
        "attributes[\"n\"] == 7.0", "attributes[\"x\"] > 1", "true > false", "0x01 < 0x02",
        "\"a\" < \"b\"", "{\"a\": 1, \"b\": 2} == {\"b\": 2, \"a\": 1}", "[1, 2] != [2, 1]",
        "[1] != [1.0]"})
    EXPECT_EQ(item.ask(condition), "true") << condition;
  for (const std::string_view condition :
       {"attributes[\"n\"] == \"7\"", "attributes[\"n\"] < \"8\"", "attributes[\"n\"] > \"6\"",
        "attributes[\"none\"] < 1", "attributes[\"none\"] > 1", "nil < nil", "[1] < [2]", "{} > {}",
        "attributes[\"a\"] == nil"})
    EXPECT_EQ(item.ask(condition), "false") << condition;
}

TEST(OttlCondition, AndBindsCloserThanOrAndEachStopsWhereItIsKnown) {
  Item item(Context::kLog);
  EXPECT_EQ(item.ask("true or false and false"), "true");
  EXPECT_EQ(item.ask("(true or false) and false"), "false");
  EXPECT_EQ(item.ask("not false and not (true and false)"), "true");
  // What follows would be a fault.
  EXPECT_EQ(item.ask("true or attributes[\"a\"][0] == 1"), "true");
  EXPECT_EQ(item.ask("false and attributes[\"a\"][0] == 1"), "false");
  EXPECT_THAT(item.ask("false or attributes[\"a\"][0] == 1"), StartsWith("fault: 1:10 of `false"));
}

TEST(OttlCondition, Arithmetic) {
  Item item(Context::kLog);
  for (const std::string_view condition :
       {"1 + 2 * 3 == 7", "(1 + 2) * 3 == 9", "7 / 2 == 3", "7 / 2.0 == 3.5",
        "-attributes[\"n\"] == -7", "2 - 3 - 4 == -5",
        "attributes[\"n\"] + attributes[\"x\"] == 8.5", "- 5 + +5 == 0"})
    EXPECT_EQ(item.ask(condition), "true") << condition;
  EXPECT_THAT(item.ask("1 / attributes[\"none\"] == 1"), HasSubstr("cannot be computed"));
  EXPECT_THAT(item.ask("1 / (attributes[\"n\"] - 7) == 1"), HasSubstr("division by zero"));
}

TEST(OttlCondition, ConvertersOfTexts) {
  Item item(Context::kLog);
  for (const std::string_view condition :
       {"IsMatch(log.body, \"pass.*secret\")",
        "IsMatch(attributes[\"n\"], \"^7$\")",
        "not IsMatch(attributes[\"none\"], \".*\")",
        "IsMatch(attributes[\"list\"], \"\\\\[.a.,2\\\\]\")",
        "Concat([\"a\", attributes[\"n\"], nil], \"-\") == \"a-7-<nil>\"",
        "Split(\"a,b,,c\", \",\") == [\"a\", \"b\", \"\", \"c\"]",
        "Split(\"é!\", \"\")[0] == \"é\"",
        "Split(\"\", \",\") == [\"\"]",
        "Substring(\"hello\", 1, 3) == \"ell\"",
        "Substring(\"aéb\", 0, 2, true) == \"a\"",
        "ToLowerCase(\"ÄBC1\") == \"äbc1\"",
        "ToUpperCase(\"äbc÷\") == \"ÄBC÷\"",
        "ConvertCase(\"aB\", \"upper\") == \"AB\"",
        "Trim(\"  a \") == \"a\"",
        "Trim(\"xxax\", \"x\") == \"a\"",
        "Trim(\"  \") == \"\"",
        "TrimPrefix(\"abc\", \"a\") == \"bc\"",
        "TrimSuffix(\"abc\", \"c\") == \"ab\"",
        "HasPrefix(\"abc\", \"ab\")",
        "HasSuffix(\"abc\", \"bc\")",
        "not HasSuffix(\"abc\", \"b\")",
        "SHA256(\"\") == \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"",
        "String(attributes[\"x\"]) == \"1.5\"",
        "String(0xff) == \"ff\"",
        "String(nil) == nil",
        "ExtractPatterns(log.body, \"user=(?P<user>\\\\w+)\")[\"user\"] == \"ana\"",
        "ExtractPatterns(log.body, \"none=(?P<x>.)\") == {}"})
    EXPECT_EQ(item.ask(condition), "true") << condition;
  EXPECT_THAT(item.ask("Substring(\"ab\", 1, 5) == \"\""), HasSubstr("outside of the text"));
  EXPECT_THAT(item.ask("Split(attributes[\"n\"], \",\") == []"), HasSubstr("no string"));
}

TEST(OttlCondition, ConvertersOfValues) {
  Item item(Context::kLog);
  for (const std::string_view condition : {"IsString(log.body)",
                                           "not IsString(attributes[\"n\"])",
                                           "IsInt(attributes[\"n\"])",
                                           "IsDouble(attributes[\"x\"])",
                                           "IsBool(attributes[\"yes\"])",
                                           "IsMap(attributes)",
                                           "IsMap(attributes[\"map\"])",
                                           "IsList(attributes[\"list\"])",
                                           "not IsMap(attributes[\"none\"])",
                                           "Len(log.body) == 24",
                                           "Len(attributes[\"list\"]) == 2",
                                           "Len(attributes) == 8",
                                           "Int(\"42\") == 42",
                                           "Int(1.9) == 1",
                                           "Int(true) == 1",
                                           "Int(nil) == nil",
                                           "Double(\"1e3\") == 1000.0",
                                           "Bool(\"t\") == true",
                                           "Bool(0) == false",
                                           "ContainsValue(attributes[\"list\"], \"a\")",
                                           "not ContainsValue(attributes[\"list\"], \"c\")",
                                           "ContainsValue(attributes[\"list\"], 2.0)",
                                           "Hex(\"ab\") == \"6162\""})
    EXPECT_EQ(item.ask(condition), "true") << condition;
  EXPECT_THAT(item.ask("Int(\"4x\") == 4"), HasSubstr("no int"));
  EXPECT_THAT(item.ask("Len(attributes[\"n\"]) == 1"), HasSubstr("have a length"));
}

TEST(OttlCondition, WhatIsNotTakenIsToldWhenItIsLoaded) {
  Item item(Context::kLog);
  EXPECT_THAT(item.ask("log.bodyy == 1"), StartsWith("error: 1:1: log.bodyy is no field of a log"));
  EXPECT_THAT(item.ask("true and\n  FormatTime(log.time, \"%Y\") == 1"),
              StartsWith("error: 2:3: the function FormatTime is not taken; there are"));
  EXPECT_THAT(item.ask("span.name == \"a\""), HasSubstr("span is not seen from a log"));
  EXPECT_THAT(item.ask("log.severity_number == SEVERITY_NUMBER_WARN5"),
              HasSubstr("no name that stands"));
  EXPECT_THAT(item.ask("IsMatch(log.body, \"(\")"), StartsWith("error: 1:19: "));
  EXPECT_THAT(item.ask("IsMatch(log.body, attributes[\"a\"])"), HasSubstr("written as a string"));
  EXPECT_THAT(item.ask("IsMatch(log.body)"), HasSubstr("needs the argument pattern"));
  EXPECT_THAT(item.ask("IsMatch(log.body, \"a\", 1)"), HasSubstr("takes 2 arguments"));
  EXPECT_THAT(item.ask("IsMatch(target=log.body, patern=\"a\")"), HasSubstr("no argument patern"));
  EXPECT_EQ(item.ask("IsMatch(pattern=\"pass\", target=log.body)"), "true");
  EXPECT_THAT(item.ask("Len(log.body)"), HasSubstr("true or false, and this is an int"));
  EXPECT_THAT(item.ask("Split(log.severity_number, \",\") == nil"),
              HasSubstr("is a string, and this is an int"));
  EXPECT_THAT(item.ask("log.severity_text[\"a\"] == 1"), HasSubstr("has no keys"));
  EXPECT_THAT(item.ask("set(log.body, 1) == 1"), HasSubstr("is an editor"));
  EXPECT_THAT(item.ask("IsRootSpan()"), HasSubstr("of a span, not of a log"));
  EXPECT_THAT(item.ask("ConvertCase(log.body, \"title\") == 1"), HasSubstr("to_case is"));
  EXPECT_THAT(item.ask("Foo == 1"), HasSubstr("\"(\" is missing behind the converter Foo"));
  EXPECT_THAT(item.ask("log.severity_text == SHA256"), HasSubstr("\"(\" is missing"));
  EXPECT_THAT(item.ask("Duration(\"1 day\") == 1"), HasSubstr("no duration"));
  EXPECT_THAT(item.ask("ExtractPatterns(log.body, \"a\") == 1"), HasSubstr("no named group"));
}

TEST(OttlCondition, WhatIsWrittenHasTheKindThatIsWanted) {
  Item item(Context::kLog);
  EXPECT_THAT(item.ask("true or\n  IsMap(7)"), StartsWith("error: 2:9: target is a map, and this"));
  EXPECT_THAT(item.ask("IsString([\"a\"])"), HasSubstr("is a string, and this is a list"));
  EXPECT_THAT(item.ask("IsBool(nil)"), HasSubstr("is a bool, and this is"));
  EXPECT_THAT(item.ask("UnixNano(7) == 1"), HasSubstr("time is a time, and this is an int"));
  EXPECT_THAT(item.ask("Hours(\"1h\") == 1"), HasSubstr("is a duration, and this is a string"));
  EXPECT_THAT(item.ask("Int(\"x\") == 1"), HasSubstr("this text is no int"));
  EXPECT_THAT(item.ask("Bool(\"x\") == true"), HasSubstr("error: 1:1: Bool: this text is neither"));
  EXPECT_EQ(item.ask("IsMap(log.severity_number)"), "false") << "what a record has is asked";
  EXPECT_EQ(item.ask("IsInt(7) and IsList([log.body])"), "true");
  EXPECT_THAT(item.ask("log.severity_number == STATUS_CODE_ERROR"),
              HasSubstr("error: 1:24: STATUS_CODE_ERROR is none of the names of a log"));
  EXPECT_THAT(Item(Context::kScope).ask("FLAG_NONE == 0"), HasSubstr("none of the names"));
}

TEST(OttlCondition, TextsAreReadIntoMapsAndLists) {
  Item item(Context::kLog);
  EXPECT_EQ(item.ask(R"(ParseJSON("{\"a\": {\"b\": [1, null, \"x\"]}, \"a\": 2}")["a"] == 2)"),
            "true")
      << "of a key that stands twice the last counts";
  EXPECT_EQ(item.ask(R"(ParseJSON("[{\"b\": true}, 1]") == [{"b": true}, 1.0])"), "true");
  EXPECT_THAT(item.ask(R"(ParseJSON("7") == 7)"), HasSubstr("neither a map nor a list"));
  EXPECT_THAT(item.ask("ParseJSON(log.body) == 7"), HasSubstr("no JSON"));
  EXPECT_THAT(item.ask(R"(ParseJSON("{}")["a"] == nil)"), HasSubstr("no such key"));
  EXPECT_THAT(item.ask(R"(TraceID("0x") == log.trace_id)"), HasSubstr("error: 1:1: TraceID"));
  EXPECT_EQ(item.ask("ParseKeyValue(log.body) == {\"password\": \"secret\", \"user\": \"ana\"}"),
            "true");
  EXPECT_EQ(item.ask(R"(ParseKeyValue("a:'b,c',a:d ,", ":", ",") == {"a": "d"})"), "true");
  EXPECT_THAT(item.ask("ParseKeyValue(\"a\") == 1"), HasSubstr("has no delimiter"));
  EXPECT_THAT(item.ask("ParseKeyValue(\"a='b\") == 1"), HasSubstr("is not ended"));
  EXPECT_THAT(item.ask("ParseKeyValue(log.body, \" \") == 1"), HasSubstr("not the same"));
}

TEST(OttlCondition, DeepOrLongJsonIsAFault) {
  Item item(Context::kLog);
  const auto ask_about = [&](const std::string& text) {
    const std::string body = wire::edit::encoded_value(wire::edit::ValueView::of_text(text));
    item.at(MessageLevel::kLog).set_bytes(wire::otlp::LogRecordField::kBody, body);
    return item.ask("Len(ParseJSON(log.body)) > 0");
  };
  EXPECT_EQ(ask_about(std::string(60, '[') + std::string(60, ']')), "true");
  EXPECT_THAT(ask_about(std::string(100'000, '[')), HasSubstr("nested too deeply"));
  EXPECT_THAT(ask_about("[\"" + std::string(kParsedBytesMax, 'x') + "\"]"),
              HasSubstr("so long a text"));
  const std::string wide = "\"" + std::string(200'000, 'x') + "\"";
  EXPECT_EQ(ask_about("[" + wide + "]"), "true");
  EXPECT_THAT(ask_about(std::string(60, '[') + wide + std::string(60, ']')),
              HasSubstr("more of one item than it may become"))
      << "each level is written anew";
}

TEST(OttlCondition, MapsListsAndWhatIsMissing) {
  Item item(Context::kLog);
  EXPECT_EQ(item.ask("Keys({\"a\": 1, \"b\": 2}) == [\"a\", \"b\"]"), "true");
  EXPECT_EQ(item.ask("Values({\"a\": 1, \"b\": \"x\"}) == [1, \"x\"]"), "true");
  EXPECT_EQ(item.ask("Coalesce([log.attributes[\"none\"], log.attributes[\"a\"]]) == \"b\""),
            "true");
  EXPECT_EQ(item.ask("IsEmpty(log.attributes[\"none\"]) and IsEmpty(log.attributes[\"empty\"])"),
            "true");
  EXPECT_EQ(item.ask("IsEmpty(log.attributes[\"n\"])"), "false");
  EXPECT_EQ(item.ask("Index(log.body, \"user\") == 16 and Index([1, \"a\"], \"a\") == 1"), "true");
  EXPECT_EQ(item.ask("Index([1], 2) == -1"), "true");
  EXPECT_EQ(item.ask("ToSnakeCase(\"requestID2 now\") == \"request_id_2_now\""), "true");
  EXPECT_EQ(item.ask("ToCamelCase(\"request_id 2now\") == \"RequestId2Now\""), "true");
  EXPECT_EQ(item.ask("ConvertCase(\"a-b\", \"snake\") == \"a_b\""), "true");
  EXPECT_EQ(item.ask("FNV(\"hello\") == -6615550055289275125"), "true");
  EXPECT_EQ(item.ask("Base64Encode(\"any carnal\") == \"YW55IGNhcm5hbA==\""), "true");
  EXPECT_EQ(item.ask("Hex(7) == \"0000000000000007\" and Hex(true) == \"01\""), "true");
}

TEST(OttlCondition, WorkOfARequestIsBounded) {
  Item item(Context::kLog);
  CompileBudget budget;
  const auto condition = Condition::compile("log.body == \"a\"", Context::kLog, budget);
  ASSERT_TRUE(condition.has_value());
  EXPECT_EQ(budget.accesses, 1U);
  ASSERT_TRUE(Condition::compile("HasPrefix(log.body, \"a\")", Context::kLog, budget).has_value());
  EXPECT_EQ(budget.accesses, 3U);
  item.evaluation().begin_request(1'000, 0);
  item.evaluation().begin(item.record());
  bool is_met = false;
  EXPECT_THROW(
      {
        for (int i = 0; i < 100; ++i) condition->test(item.evaluation(), is_met);
      },
      WorkIsUsedUp);
}

}  // namespace
}  // namespace vigia::ottl
