// What statements do to items.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/hex.hpp"
#include "libs/ottl/program.hpp"
#include "libs/ottl/testing/items.hpp"
#include "libs/wire/edit/value.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::ottl {
namespace {

using ::testing::HasSubstr;
using testing::Item;
using ::testing::StartsWith;

std::string after(Context context, std::string_view statement, std::string_view path) {
  Item item(context);
  const std::string result = item.run(statement);
  return result.empty() ? item.show(path) : result;
}
std::string after(std::string_view statement, std::string_view path) {
  return after(Context::kLog, statement, path);
}

TEST(OttlStatement, SetsFieldsOfALogRecord) {
  EXPECT_EQ(after("set(log.body, \"x\")", "log.body"), "x");
  EXPECT_EQ(after("set(log.body, attributes[\"list\"])", "log.body"), R"(["a",2])");
  EXPECT_EQ(after("set(log.body.string, \"x\")", "log.body"), "x");
  EXPECT_EQ(after("set(severity_text, \"WARN\")", "severity_text"), "WARN");
  EXPECT_EQ(after("set(severity_number, SEVERITY_NUMBER_WARN)", "severity_number"), "13");
  EXPECT_EQ(after("set(time_unix_nano, 5)", "time_unix_nano"), "5");
  EXPECT_EQ(after("set(observed_time, log.time)", "observed_time_unix_nano"),
            "1764489600000000000");
  EXPECT_EQ(after("set(trace_id.string, \"000102030405060708090a0b0c0d0e0f\")", "trace_id.string"),
            "000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(after("set(flags, 1)", "flags"), "1");
  EXPECT_EQ(after("set(attributes[\"new\"], attributes[\"a\"])", "attributes[\"new\"]"), "b");
  EXPECT_EQ(after("set(attributes[\"a\"], 5)", "attributes[\"a\"]"), "5");
  EXPECT_EQ(after("set(attributes[\"a\"], nil)", "attributes[\"a\"]"), "nil");
  EXPECT_EQ(after("set(attributes[\"map\"][\"in\"], 1.5)", "attributes[\"map\"]"), R"({"in":1.5})");
  EXPECT_EQ(after("set(attributes[\"map\"][\"b\"][\"c\"], true)", "attributes[\"map\"]"),
            R"({"b":{"c":true},"in":"deep"})");
  EXPECT_EQ(after("set(attributes[\"new\"][\"b\"], 1)", "attributes[\"new\"]"), R"({"b":1})");
  EXPECT_EQ(after("set(attributes[\"new\"][2], 1)", "attributes[\"new\"]"), "[null,null,1]");
  EXPECT_EQ(after("set(attributes[\"list\"][0], {\"k\": [1]})", "attributes[\"list\"]"),
            R"([{"k":[1]},2])");
  EXPECT_EQ(after("set(resource.attributes[\"env\"], \"prod\")", "resource.attributes[\"env\"]"),
            "prod");
  EXPECT_EQ(after("set(scope.name, \"y\")", "scope.name"), "y");
  EXPECT_EQ(after("set(attributes, {\"only\": 1})", "attributes"), R"({"only":1})");
  EXPECT_EQ(after("set(cache[\"k\"], log.severity_text)", "cache[\"k\"]"), "ERROR");
}

TEST(OttlStatement, SetsFieldsOfSpansAndPoints) {
  EXPECT_EQ(after(Context::kSpan, "set(name, \"n\")", "name"), "n");
  EXPECT_EQ(after(Context::kSpan, "set(kind, SPAN_KIND_CLIENT)", "kind.string"), "Client");
  EXPECT_EQ(after(Context::kSpan, "set(kind.string, \"Producer\")", "kind"), "4");
  EXPECT_EQ(after(Context::kSpan, "set(status.code, STATUS_CODE_OK)", "status.code"), "1");
  EXPECT_EQ(after(Context::kSpan, "set(status.code, 1)", "status.message"), "no stock");
  EXPECT_EQ(after(Context::kSpan, "set(status.message, \"m\")", "status.message"), "m");
  EXPECT_EQ(after(Context::kSpanEvent, "set(span.attributes[\"e\"], spanevent.name)",
                  "span.attributes[\"e\"]"),
            "exception");
  EXPECT_EQ(after(Context::kPoint, "set(value_int, 3)", "value_int"), "3");
  EXPECT_EQ(after(Context::kPoint, "set(value_int, 3)", "value_double"), "0");
  EXPECT_EQ(after(Context::kPoint, "set(value_double, 0.5)", "value_double"), "0.5");
  EXPECT_EQ(after(Context::kPoint, "set(metric.name, Concat([\"a\", metric.name], \".\"))",
                  "metric.name"),
            "a.http.requests");
  EXPECT_THAT(after(Context::kPoint, "set(count, 3)", "count"), HasSubstr("no such field"));
}

TEST(OttlStatement, AConditionDecides) {
  EXPECT_EQ(after("set(body, \"x\") where severity_number == 17", "body"), "x");
  EXPECT_EQ(after("set(severity_text, \"x\") where severity_number == 18", "severity_text"),
            "ERROR");
}

TEST(OttlStatement, Keys) {
  const std::string rest = R"({"list":["a",2],"map":{"in":"deep"},"n":7,"x":1.5,"yes":true})";
  EXPECT_EQ(after("delete_key(attributes, \"a\")", "attributes[\"a\"]"), "nil");
  EXPECT_EQ(after("delete_key(attributes[\"map\"], \"in\")", "attributes[\"map\"]"), "{}");
  EXPECT_EQ(after("delete_key(attributes, \"none\")", "Len(attributes)"), "8");
  EXPECT_EQ(after("delete_matching_keys(attributes, \"^(a|http.*|empty)$\")", "attributes"), rest);
  EXPECT_EQ(after("keep_keys(attributes, [\"a\", \"n\", \"none\"])", "attributes"),
            R"({"a":"b","n":7})");
  EXPECT_EQ(after("keep_matching_keys(attributes, \"^[an]$\")", "attributes"),
            R"({"a":"b","n":7})");
  EXPECT_EQ(after("limit(attributes, 2, [\"yes\"])", "attributes"), R"({"a":"b","yes":true})");
  EXPECT_EQ(after("limit(attributes, 8, [])", "Len(attributes)"), "8");
}

TEST(OttlStatement, Replacements) {
  EXPECT_EQ(after("replace_pattern(body, \"password=\\\\S+\", \"password=***\")", "body"),
            "password=*** user=ana");
  EXPECT_EQ(after("replace_pattern(body, \"(\\\\w+)=(\\\\w+)\", \"${2}:$1\")", "body"),
            "secret:password ana:user");
  EXPECT_EQ(after("replace_pattern(attributes[\"n\"], \"7\", \"8\")", "attributes[\"n\"]"), "7");
  EXPECT_EQ(after("replace_pattern(attributes[\"a\"], \"b\", attributes[\"http.url\"])",
                  "attributes[\"a\"]"),
            "/account/1234");
  EXPECT_EQ(after("replace_match(attributes[\"http.url\"], \"/account/*\", \"/account/{id}\")",
                  "attributes[\"http.url\"]"),
            "/account/{id}");
  EXPECT_EQ(after("replace_match(attributes[\"http.url\"], \"/acc?unt/{1234,5}\", \"hit\")",
                  "attributes[\"http.url\"]"),
            "hit");
  EXPECT_EQ(after("replace_match(attributes[\"http.url\"], \"account\", \"no\")",
                  "attributes[\"http.url\"]"),
            "/account/1234");
  EXPECT_EQ(
      after("replace_all_patterns(attributes, \"value\", \"/account/\\\\d{4}\", \"/account/{id}\")",
            "attributes[\"http.url\"]"),
      "/account/{id}");
  EXPECT_EQ(after("replace_all_patterns(attributes, \"key\", \"^http\\\\.\", \"web.\")",
                  "attributes[\"web.url\"]"),
            "/account/1234");
  EXPECT_EQ(
      after("replace_all_matches(attributes, \"/account/*\", \"x\")", "attributes[\"http.url\"]"),
      "x");
}

// As upstream's page has it: hashed where it is found, in a format.
TEST(OttlStatement, AConverterIsAppliedToWhatIsPutIn) {
  const std::string hash = sha256_hex("secret");
  EXPECT_EQ(after("replace_pattern(body, \"password=(\\\\w+)\", \"$1\", SHA256, \"password=<%s>\")",
                  "body"),
            "password=<" + hash + "> user=ana");
  EXPECT_EQ(
      after("replace_match(attributes[\"a\"], \"*\", \"x\", ToUpperCase)", "attributes[\"a\"]"),
      "X");
  EXPECT_EQ(after("replace_all_patterns(attributes, \"key\", \"^http\", \"$0\", ToUpperCase)",
                  "attributes[\"HTTP.url\"]"),
            "/account/1234");
  EXPECT_EQ(after("replace_all_matches(attributes, \"/account/*\", \"x\", function=ToUpperCase)",
                  "attributes[\"http.url\"]"),
            "X");
  Item item(Context::kLog);
  EXPECT_THAT(item.run("replace_match(attributes[\"a\"], \"no\", attributes[\"n\"])"),
              HasSubstr("no string"))
      << "asked for also where nothing matches";
}

TEST(OttlStatement, FlattensAndDeletesElements) {
  EXPECT_EQ(after("flatten(attributes)", "attributes[\"map.in\"]"), "deep");
  EXPECT_EQ(after("flatten(attributes)", "attributes[\"list.1\"]"), "2");
  EXPECT_EQ(after("flatten(attributes, \"p\")", "attributes[\"p.a\"]"), "b");
  EXPECT_EQ(after("flatten(attributes, depth=1)", "attributes[\"map.in\"]"), "deep");
  EXPECT_EQ(after("flatten(attributes, resolve_conflicts=true)", "attributes[\"list.0\"]"), "2");
  EXPECT_EQ(after("delete_index(attributes[\"list\"], 0)", "attributes[\"list\"]"), "[2]");
  EXPECT_EQ(after("delete_index(attributes[\"list\"], 0, 2)", "attributes[\"list\"]"), "[]");
  EXPECT_THAT(Item(Context::kLog).run("delete_index(attributes[\"list\"], 2)"),
              HasSubstr("no elements"));
  Item fenced(Context::kResource);
  EXPECT_EQ(fenced.run("flatten(attributes, \"p\")"), "");
  EXPECT_EQ(fenced.show("attributes[\"customer.id\"]"), "cliente-a");
}

// Each key is looked for among those before it: of 20,000 a record would take seconds.
TEST(OttlStatement, ManyKeysAreWorkThatIsCounted) {
  std::string json = "{\"k\": 0";
  for (int i = 0; i < 20'000; ++i) json += ",\"" + std::to_string(i) + "\":0";
  for (const char* statement : {"set(attributes, ParseJSON(body))",
                                "merge_maps(attributes, ParseJSON(body), \"upsert\")"}) {
    Item item(Context::kLog);
    item.at(MessageLevel::kLog)
        .set_bytes(wire::otlp::LogRecordField::kBody,
                   wire::edit::encoded_value(wire::edit::ValueView::of_text(json + "}")));
    EXPECT_THROW(item.run(statement), WorkIsUsedUp) << statement;
  }
}

TEST(OttlStatement, TruncatesAllTexts) {
  EXPECT_EQ(after("truncate_all(attributes, 4)", "attributes[\"http.url\"]"), "/acc");
  EXPECT_EQ(after("truncate_all(attributes, 4, true, \"~\")", "attributes[\"http.url\"]"), "/ac~");
  EXPECT_EQ(after("truncate_all(attributes, 0)", "attributes[\"a\"]"), "");
  Item item(Context::kLog);
  item.run("set(attributes[\"a\"], \"xé\")");
  EXPECT_EQ(item.run("truncate_all(attributes, 2)"), "");
  EXPECT_EQ(item.show("attributes[\"a\"]"), "x") << "no half of a character";
  EXPECT_EQ(item.show("attributes[\"n\"]"), "7");
}

TEST(OttlStatement, MergesAndAppends) {
  const std::string source = "{\"a\": 1, \"new\": 2}";
  EXPECT_EQ(after("merge_maps(attributes, " + source + ", \"insert\")", "attributes[\"a\"]"), "b");
  EXPECT_EQ(after("merge_maps(attributes, " + source + ", \"insert\")", "attributes[\"new\"]"),
            "2");
  EXPECT_EQ(after("merge_maps(attributes, " + source + ", \"update\")", "attributes[\"a\"]"), "1");
  EXPECT_EQ(after("merge_maps(attributes, " + source + ", \"update\")", "attributes[\"new\"]"),
            "nil");
  EXPECT_EQ(
      after("merge_maps(attributes[\"map\"], " + source + ", \"upsert\")", "attributes[\"map\"]"),
      R"({"a":1,"in":"deep","new":2})");
  EXPECT_EQ(after("merge_maps(cache, attributes[\"map\"], \"upsert\")", "cache[\"in\"]"), "deep");
  EXPECT_EQ(after("append(attributes[\"list\"], 3)", "attributes[\"list\"]"), R"(["a",2,3])");
  EXPECT_EQ(after("append(attributes[\"a\"], values=[\"c\", true])", "attributes[\"a\"]"),
            R"(["b","c",true])");
  EXPECT_EQ(after("append(attributes[\"new\"], \"c\")", "attributes[\"new\"]"), R"(["c"])");
}

TEST(OttlStatement, TheCustomerOfAResourceStaysAsItIs) {
  for (const std::string_view statement :
       {"keep_keys(resource.attributes, [\"service.name\"])", "keep_keys(resource.attributes, [])",
        "delete_matching_keys(resource.attributes, \".*\")",
        "keep_matching_keys(resource.attributes, \"x\")", "limit(resource.attributes, 0, [])",
        "truncate_all(resource.attributes, 1)",
        "set(resource.attributes, {\"customer.id\": \"cliente-b\", \"z\": 1})",
        "set(resource.attributes, nil)", "set(resource.attributes, log.attributes)",
        "merge_maps(resource.attributes, {\"customer.id\": \"cliente-b\"}, \"upsert\")",
        "replace_all_patterns(resource.attributes, \"value\", \"cliente-a\", \"cliente-b\")",
        "replace_all_patterns(resource.attributes, \"key\", \"customer.id\", \"x\")",
        "replace_all_patterns(resource.attributes, \"key\", \"service.name\", \"customer.id\")",
        "replace_all_matches(resource.attributes, \"cliente*\", \"cliente-b\")",
        "delete_key(resource.attributes, Concat([\"customer\", \"id\"], \".\"))",
        "set(resource.attributes[Concat([\"customer\", \"id\"], \".\")], \"cliente-b\")"}) {
    Item item(Context::kLog);
    const std::string result = item.run(statement);
    EXPECT_EQ(item.show("resource.attributes[\"customer.id\"]"), "cliente-a")
        << statement << result;
    std::string resource;
    item.at(MessageLevel::kResource).append_to(resource);
    std::size_t named = 0;
    wire::edit::Editable read(resource, wire::otlp::ResourceField::kAttributes);
    read.for_each_attribute(
        [&](const auto& each) { named += each.key() == "customer.id" ? 1 : 0; });
    EXPECT_EQ(named, 1U) << statement;
  }
}

TEST(OttlStatement, NamingTheCustomerIsAnErrorWhenItIsLoaded) {
  Item item(Context::kLog);
  for (const std::string_view statement :
       {"set(resource.attributes[\"customer.id\"], \"b\")",
        "set(log.attributes[\"customer.id\"], \"b\")",
        "delete_key(resource.attributes, \"customer.id\")",
        "replace_pattern(resource.attributes[\"customer.id\"], \"a\", \"b\")",
        "append(resource.attributes[\"customer.id\"], \"b\")",
        "set(resource.attributes[\"customer.id\"][\"x\"], \"b\")"})
    EXPECT_THAT(item.run(statement), HasSubstr("says whose data it is (customer.id)")) << statement;
  EXPECT_EQ(item.run("set(attributes[\"c\"], resource.attributes[\"customer.id\"])"), "");
  EXPECT_EQ(item.show("attributes[\"c\"]"), "cliente-a");
}

TEST(OttlStatement, WhatIsNotTakenIsToldWhenItIsLoaded) {
  Item item(Context::kPoint);
  EXPECT_THAT(item.run("scale_metric(2)"),
              StartsWith("error: 1:1: the function scale_metric is not taken"));
  EXPECT_THAT(item.run("set(datapoint.bucket_counts, [1])"), HasSubstr("cannot be set"));
  EXPECT_THAT(item.run("flatten(attributes, depth=0)"), HasSubstr("1 or more"));
  for (const char* function : {"Sha256", "SHA256(\"a\")", "Len", "Substring", "\"SHA256\""})
    EXPECT_THAT(item.run("replace_match(metric.name, \"*\", \"a\", " + std::string(function) + ")"),
                HasSubstr("a converter's name alone"));
  EXPECT_THAT(item.run("replace_match(metric.name, \"*\", \"a\", SHA256, \"%s%s\")"),
              HasSubstr("%s once"));
  EXPECT_THAT(item.run("set(metric.type, 1)"), HasSubstr("type cannot be set"));
  EXPECT_THAT(item.run("set(metric.name, 5)"), HasSubstr("holds a string, and this is an int"));
  EXPECT_THAT(item.run("set(metric.name, nil)"), HasSubstr("holds a string, and this is nil"));
  EXPECT_THAT(item.run("set(\"x\", 5)"), HasSubstr("target is a path"));
  EXPECT_THAT(item.run("delete_key(metric.name, \"a\")"), HasSubstr("is no map"));
  EXPECT_THAT(item.run("keep_keys(attributes, metric.name)"),
              HasSubstr("a list that is written here"));
  EXPECT_THAT(item.run("keep_keys(attributes, [1])"), HasSubstr("has strings"));
  EXPECT_THAT(item.run("truncate_all(attributes, -1)"), HasSubstr("0 or more"));
  EXPECT_THAT(item.run("truncate_all(attributes, 1, true, \"...\")"),
              HasSubstr("longer than the limit"));
  EXPECT_THAT(item.run("limit(attributes, 0, [\"a\"])"), HasSubstr("number of priority_keys"));
  EXPECT_THAT(item.run("merge_maps(attributes, {}, \"both\")"), HasSubstr("the strategy is"));
  EXPECT_THAT(item.run("replace_all_patterns(attributes, \"x\", \"a\", \"b\")"),
              HasSubstr("the mode is"));
  EXPECT_THAT(item.run("replace_match(metric.name, \"[a\", \"b\")"), HasSubstr("not ended"));
  EXPECT_THAT(item.run("replace_pattern(datapoint.flags, \"a\", \"b\")"),
              HasSubstr("nothing is replaced"));
  EXPECT_THAT(item.run("append(attributes, 1)"), HasSubstr("no list"));
  EXPECT_THAT(item.run("append(attributes[\"a\"])"), HasSubstr("are missing"));
  EXPECT_THAT(item.run("set(attributes[\"a\"], datapoint.time)"), HasSubstr("kept as a number"));
}

TEST(OttlStatement, WhatIsMadeOfAnItemIsBounded) {
  Item item(Context::kLog);
  ASSERT_EQ(item.run("set(attributes[\"a\"], \"0123456789abcdef\")"), "");
  std::string last;
  int rounds = 0;
  while (last.empty() && rounds < 64) {
    last = item.run("set(attributes[\"a\"], Concat([attributes[\"a\"], attributes[\"a\"]], \"\"))");
    ++rounds;
  }
  EXPECT_THAT(last, HasSubstr("it would make more of one item"));
  EXPECT_LT(rounds, 20);
  // Each character becomes the whole text.
  last = item.run("replace_pattern(attributes[\"a\"], \".\", \"$0$0$0$0$0$0$0$0$0\")");
  EXPECT_THAT(last, StartsWith("fault: "));
}

TEST(OttlStatement, NothingIsMadeOfAnItemThatNoStatementIsFor) {
  Item item(Context::kLog);
  for (const std::string_view statement :
       {"set(body, \"x\") where attributes[\"a\"] == \"other\"", "delete_key(attributes, \"none\")",
        "delete_matching_keys(attributes, \"zzz\")", "truncate_all(attributes, 4096)",
        "replace_pattern(body, \"zzz\", \"y\")", "limit(attributes, 100, [])"}) {
    EXPECT_EQ(item.run(statement), "") << statement;
    EXPECT_FALSE(item.at(MessageLevel::kLog).is_changed()) << statement;
  }
}

}  // namespace
}  // namespace vigia::ottl
