// Which series points become: names, labels, counters, summaries, and what is refused.
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "libs/series/testing/translation_fixture.hpp"
#include "libs/wire/otlp/field_reader.hpp"

namespace vigia::series {
namespace {

// R-PM-5, R-PM-13, R-RW-2: labels in their order.
// C03: keys are unique by the specification, and senders break it.
TEST(Translator, OfAKeyThatIsSentTwiceTheLastValueCounts) {
  Request request;
  set(request.resource(), "node.id", "first");
  set(request.resource(), "node.id", "last");
  auto* point = request.gauge("m", 1);
  for (const char* value : {"1", "2", "3"}) set(point->mutable_attributes(), "a", value);
  const auto taken = translated(request.body());
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].text,
            "m{a=\"3\",customer_id=\"cliente-a\",node_id=\"last\"} 1 @1800000000123");
  const SystemClock clock;
  SeriesCache cache({}, clock);
  CollectingSink sink;
  ASSERT_TRUE(Translator({}, cache).translate(*CustomerId::parse("cliente-a"), request.body(),
                                              Verdicts(1), sink));
  EXPECT_EQ(cache.collisions().begin()->second, 3U) << "two of the point's, one of target_info's";
}

TEST(Translator, AGaugeCarriesItsResourcesLabels) {
  Request request;
  set(request.resource(), "service.name", "shop");
  set(request.resource(), "service.namespace", "web");
  set(request.resource(), "service.instance.id", "i-1");
  set(request.resource(), "node.id", "prod-web-01");
  set(request.resource(), "node.region", "us-east-1");
  set(request.resource(), "environment", "production");
  set(request.gauge("system.cpu.usage", 12.5)->mutable_attributes(), "cpu.mode", "user");
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(system_cpu_usage{cpu_mode="user",customer_id="cliente-a",)"
                   R"(environment="production",instance="i-1",job="web/shop",)"
                   R"(node_id="prod-web-01",node_region="us-east-1"} 12.5 @1800000000123)",
                   R"(target_info{customer_id="cliente-a",environment="production",)"
                   R"(instance="i-1",job="web/shop",node_id="prod-web-01",)"
                   R"(node_region="us-east-1"} 1 @1800000000123)"}));
}

// R-PM-14: no spelling of the key is the customer.
TEST(Translator, CustomerIdComesFromTheTokenAlone) {
  Request request;
  auto* point = request.gauge("m", 1);
  for (const char* key : {"customer.id", "customer-id", "customer__id", "customer_id"}) {
    set(point->mutable_attributes(), key, "cliente-b");
    set(request.scope()->mutable_attributes(), key, "cliente-b");
  }
  set(request.resource(), "customer-id", "cliente-b");
  EXPECT_EQ(texts(translated(request.body())).at(0).find("cliente-b"), std::string::npos);
  EXPECT_NE(texts(translated(request.body())).at(0).find(R"(customer_id="cliente-a")"),
            std::string::npos);
}

// D03.
TEST(Translator, ASendersKeyCannotBecomeTheName) {
  Request request;
  set(request.gauge("m", 1)->mutable_attributes(), "__name__", "up");
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(m{customer_id="cliente-a",key_name_="up"} 1 @1800000000123)"}));
}

// R-PM-14, C03.
TEST(Translator, KeysThatBecomeOneLabelAreJoined) {
  Request request;
  auto* first = request.gauge("m", 1)->mutable_attributes();
  set(first, "k8s_pod_name", "bar");
  set(first, "k8s.pod.name", "foo");
  auto* second = request.gauge("n", 1)->mutable_attributes();
  set(second, "bar.one", "foo");
  set(second, "bar/one", "foo");
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(m{customer_id="cliente-a",k8s_pod_name="foo;bar"} 1 @1800000000123)",
                   R"(n{bar_one="foo",customer_id="cliente-a"} 1 @1800000000123)"}));
}

// Ends at once, where a search among the labels before each one would take minutes.
TEST(Translator, ManyKeysCostNoMoreThanTheirBytes) {
  Request many;
  auto* attributes = many.gauge("g", 1)->mutable_attributes();
  for (int i = 0; i < 300'000; ++i) set(attributes, fmt::format("k{}", i), "v");
  EXPECT_EQ(translated(many.body()).size(), 0U);  // far more labels than one series may have

  Request colliding;  // every key becomes "k_"
  attributes = colliding.gauge("g", 1)->mutable_attributes();
  for (int i = 0; i < 300'000; ++i) {
    std::string key = "k";
    for (int bit = 0; bit < 19; ++bit) key += (i >> bit) % 2 == 0 ? '.' : '-';
    set(attributes, key, fmt::format("{}", i));
  }
  EXPECT_EQ(translated(colliding.body()).size(), 0U);  // one label, of megabytes
}

TEST(Translator, WhatStorageWouldRefuseIsRefused) {
  for (const int count : {200, 300}) {
    Request point;
    auto* attributes = point.gauge("g", 1)->mutable_attributes();
    for (int i = 0; i < count; ++i) set(attributes, fmt::format("k{}", i), "v");
    EXPECT_EQ(translated(point.body()).size(), count == 200 ? 1U : 0U);

    Request resource;
    resource.gauge("g", 1);
    set(resource.resource(), "service.name", "s");
    for (int i = 0; i < count; ++i) set(resource.resource(), fmt::format("k{}", i), "v");
    // target_info is no point of the sender: it says what it has room for.
    EXPECT_EQ(translated(resource.body()).size(), 2U);
  }
  for (const std::size_t bytes : {50'000U, 70'000U}) {
    Request point;
    set(point.gauge("g", 1)->mutable_attributes(), "k", std::string(bytes, 'v'));
    EXPECT_EQ(translated(point.body()).size(), bytes == 50'000 ? 1U : 0U);

    Request resource;
    resource.gauge("g", 1);
    set(resource.resource(), "node.id", std::string(bytes, 'v'));
    EXPECT_EQ(translated(resource.body()).size(), bytes == 50'000 ? 1U : 0U);
  }
  Request name;
  name.gauge(std::string(70'000, 'm'), 1);
  EXPECT_EQ(translated(name.body()).size(), 0U);
}

TEST(Translator, TargetInfoLeavesOutWhatIsTooLong) {
  Request request;
  set(request.resource(), "service.name", "shop");
  set(request.resource(), "process.command_line", std::string(3'000, 'v'));
  set(request.resource(), "process.pid", "7");
  request.gauge("m", 1);
  EXPECT_EQ(texts(translated(request.body())).at(1),
            R"(target_info{customer_id="cliente-a",job="shop",process_pid="7"} 1 @1800000000123)");
}

// C03.
TEST(Translator, AnAttributeOnResourceAndPointStandsOnce) {
  Request request;
  set(request.resource(), "deployment.environment", "qa");
  set(request.gauge("m", 1)->mutable_attributes(), "deployment.environment", "qa");
  wire::prometheus::TranslatorSettings settings;
  settings.resource_labels = {"deployment.environment"};
  EXPECT_EQ(texts(translated(request.body(), settings)),
            (Texts{R"(m{customer_id="cliente-a",deployment_environment="qa"} 1 @1800000000123)"}));
}

// R-PM-3, R-PM-5.
TEST(Translator, CountersEndInTotalAndDeltasGiveNothing) {
  Request request;
  for (const auto temporality : {pb::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE,
                                 pb::metrics::v1::AGGREGATION_TEMPORALITY_DELTA}) {
    auto* sum = request.metric("requests", "{request}")->mutable_sum();
    sum->set_is_monotonic(true);
    sum->set_aggregation_temporality(temporality);
    auto* point = sum->add_data_points();
    point->set_time_unix_nano(kTimeNs);
    point->set_as_int(7);
  }
  const auto taken = translated(request.body());
  EXPECT_EQ(texts(taken), (Texts{R"(requests_total{customer_id="cliente-a"} 7 @1800000000123)"}));
  EXPECT_EQ(taken.at(0).type, wire::prometheus::FamilyType::kCounter);
}

// R-PM-9.
TEST(Translator, ASummaryHasItsQuantiles) {
  Request request;
  auto* point = request.metric("s")->mutable_summary()->add_data_points();
  point->set_time_unix_nano(kTimeNs);
  point->set_count(2);
  point->set_sum(3);
  auto* quantile = point->add_quantile_values();
  quantile->set_quantile(0.99);
  quantile->set_value(1.5);
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(s{customer_id="cliente-a",quantile="0.99"} 1.5 @1800000000123)",
                   R"(s_sum{customer_id="cliente-a"} 3 @1800000000123)",
                   R"(s_count{customer_id="cliente-a"} 2 @1800000000123)"}));
}

// R-PM-10.
TEST(Translator, NoRecordedValueIsTheStaleMark) {
  Request request;
  request.gauge("m", 1)->set_flags(1);
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(m{customer_id="cliente-a"} stale @1800000000123)"}));
}

// R-PM-12.
TEST(Translator, TheScopeIsNamedOnEverySeries) {
  Request request;
  request.scope()->set_name("io.shop");
  request.scope()->set_version("1.2");
  set(request.scope()->mutable_attributes(), "team", "x");
  request.gauge("m", 1);
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(m{customer_id="cliente-a",otel_scope_name="io.shop",)"
                   R"(otel_scope_team="x",otel_scope_version="1.2"} 1 @1800000000123)"}));
}

// B2, wherever the sender puts them.
TEST(Translator, LabelsOfAlertsAreRenamedOnPointResourceAndTargetInfo) {
  Request request;
  set(request.resource(), "service.name", "shop");
  set(request.resource(), "severity", "r");
  set(request.resource(), "alertname", "x");
  set(request.gauge("m", 1)->mutable_attributes(), "severity", "p");
  wire::prometheus::TranslatorSettings settings;
  settings.resource_labels = {"severity"};
  for (const std::string& text : texts(translated(request.body(), settings))) {
    EXPECT_EQ(text.find("{severity="), std::string::npos) << text;
    EXPECT_EQ(text.find(",severity="), std::string::npos) << text;
    EXPECT_EQ(text.find(",alertname="), std::string::npos) << text;
    EXPECT_NE(text.find("key_severity="), std::string::npos) << text;
  }
}

// D-F9.
TEST(Translator, KeysOfScopeAttributesArePrefixedBeforeTheyAreSanitised) {
  Request request;
  request.scope()->set_version("1");
  for (const char* key : {"9x", "_y", "name", "version", "schema_url", ""})
    set(request.scope()->mutable_attributes(), key, "v");
  request.gauge("m", 1);
  EXPECT_EQ(texts(translated(request.body())),
            (Texts{R"(m{customer_id="cliente-a",otel_scope_9x="v",otel_scope_version="1",)"
                   R"(otel_scope_y="v"} 1 @1800000000123)"}));
}

// D-F10.
TEST(Translator, OnlyTheIdentifyingAttributesThemselvesAreLeftOutOfTargetInfo) {
  Request request;
  set(request.resource(), "service.name", "shop");
  set(request.resource(), "service_name", "other");
  request.gauge("m", 1);
  EXPECT_EQ(texts(translated(request.body())).at(1),
            R"(target_info{customer_id="cliente-a",job="shop",service_name="other"} )"
            "1 @1800000000123");
}

TEST(Translator, APointWithoutAValueHasNoExemplar) {
  Request request;
  auto* point = request.histogram("h");
  point->set_flags(1);
  point->add_exemplars()->set_as_double(1);
  for (const Taken& one : translated(request.body())) EXPECT_EQ(one.exemplars, "");
}

TEST(Translator, RejectedPointsArePassedOver) {
  Request request;
  request.gauge("a", 1);
  request.gauge("b", 2);
  Verdicts verdicts(2);
  verdicts.reject(0, RejectReason::kFuture);
  const auto taken = translated(request.body(), {}, &verdicts);
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].item, 1U);
}

TEST(Translator, AQuantileGivenTwiceIsRefused) {
  for (const double second : {0.9, 0.5}) {
    Request request;
    auto* point = request.metric("s")->mutable_summary()->add_data_points();
    point->set_time_unix_nano(kTimeNs);
    point->add_quantile_values()->set_quantile(0.5);
    point->add_quantile_values()->set_quantile(second);
    EXPECT_EQ(translated(request.body()).size(), second == 0.5 ? 0U : 4U);
  }
}

TEST(Translator, ADamagedExemplarIsLeftOutAndItsPointStays) {
  Request request;
  auto* point = request.histogram("h");
  point->set_count(1);
  point->add_exemplars()->set_span_id("DAMAGED");
  set(point->add_exemplars()->mutable_filtered_attributes(), "DAMAGED", "");
  std::string body = request.body();
  for (auto at = body.find("DAMAGED"); at != std::string::npos; at = body.find("DAMAGED", at))
    body.replace(at - 1, 2, "\x7f_");  // a length past the end of the exemplar
  const auto taken = translated(body);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken.at(0).exemplars, "");
}

TEST(Translator, SeriesHashesTellLabelSetsApart) {
  Request request;
  std::set<std::uint64_t> hashes;
  for (int i = 0; i < 100; ++i) {
    set(request.gauge("m", 1)->mutable_attributes(), "i", std::to_string(i));
  }
  for (const Taken& one : translated(request.body())) hashes.insert(one.hash);
  EXPECT_EQ(hashes.size(), 100U);
}

TEST(Translator, ABodyThatDoesNotFitItsVerdictsIsDamaged) {
  Request request;
  request.gauge("m", 1);
  const SystemClock clock;
  SeriesCache cache({}, clock);
  Translator translator({}, cache);
  CollectingSink sink;
  const auto customer = *CustomerId::parse("cliente-a");
  EXPECT_FALSE(translator.translate(customer, request.body(), Verdicts(2), sink).has_value());
  EXPECT_FALSE(translator.translate(customer, "\xff", Verdicts(1), sink).has_value());
}

// R-PM-9: in whatever order they are sent the quantiles ascend, and are the same series.
TEST(Translator, QuantilesAscend) {
  Request request;
  auto* point = request.metric("m")->mutable_summary()->add_data_points();
  point->set_time_unix_nano(kTimeNs);
  for (const double quantile : {0.99, 0.0, 0.5}) {
    auto* value = point->add_quantile_values();
    value->set_quantile(quantile);
    value->set_value(quantile * 10);
  }
  const auto taken = texts(translated(request.body()));
  ASSERT_EQ(taken.size(), 5U);
  EXPECT_NE(taken[0].find(R"(quantile="0.0"} 0 )"), std::string::npos) << taken[0];
  EXPECT_NE(taken[1].find(R"(quantile="0.5"} 5 )"), std::string::npos) << taken[1];
  EXPECT_NE(taken[2].find(R"(quantile="0.99"} 9.9 )"), std::string::npos) << taken[2];
}

TEST(Translator, AQuantileThatIsNoPartOfAllIsRefused) {
  for (const double quantile : {-0.1, 1.5, std::nan("")}) {
    Request request;
    auto* point = request.metric("m")->mutable_summary()->add_data_points();
    point->set_time_unix_nano(kTimeNs);
    point->add_quantile_values()->set_quantile(quantile);
    EXPECT_TRUE(translated(request.body()).empty()) << quantile;
  }
}

// R-PM-11.
TEST(Translator, AGaugeHasItsExemplarsToo) {
  Request request;
  auto* exemplar = request.gauge("m", 1)->add_exemplars();
  exemplar->set_as_double(3);
  exemplar->set_trace_id(std::string(16, 'x'));
  EXPECT_NE(translated(request.body()).at(0).exemplars, "");
}

// C06.
TEST(Translator, WithUtf8KeptNamesAndKeysAreTheSenders) {
  Request request;
  set(request.resource(), "node.id", "n1");
  set(request.resource(), "service.name", "shop");
  set(request.resource(), "host.name", "h");
  set(request.scope()->mutable_attributes(), "a.b", "c");
  auto* point = request.gauge("данные.size", 1, "By");
  set(point->mutable_attributes(), "http.route", "/x");
  set(point->mutable_attributes(), "http_route", "/y");
  set(point->mutable_attributes(), "customer.id", "cliente-b");
  wire::prometheus::TranslatorSettings settings;
  settings.strategy = wire::prometheus::Strategy::kUtf8WithSuffixes;
  EXPECT_EQ(texts(translated(request.body(), settings)),
            (Texts{R"({"данные.size_bytes",customer_id="cliente-a","http.route"="/x",)"
                   R"(http_route="/y",job="shop",node_id="n1","otel_scope_a.b"="c"} )"
                   R"(1 @1800000000123)",
                   R"(target_info{customer_id="cliente-a","host.name"="h",job="shop",)"
                   R"("node.id"="n1",node_id="n1"} 1 @1800000000123)"}));
}

// The provider's rules and pages ask for an agent's names as they always were.
TEST(Translator, AnAgentsNamesAreTheSameInEveryStrategy) {
  Request request;
  set(request.resource(), "service.name", "vigia-agent");
  set(request.gauge("system.cpu.usage", 1)->mutable_attributes(), "cpu.mode", "user");
  wire::prometheus::TranslatorSettings settings;
  settings.strategy = wire::prometheus::Strategy::kNone;
  EXPECT_EQ(texts(translated(request.body(), settings)).at(0),
            R"(system_cpu_usage{cpu_mode="user",customer_id="cliente-a",job="vigia-agent"} )"
            R"(1 @1800000000123)");
}

TEST(Translator, AReservedNameIsOneInEachStrategyThatHolds) {
  const auto accepted = [](const char* name, wire::prometheus::Strategy strategy,
                           std::uint8_t strategies) {
    Request request;
    request.gauge(name, 1, "s");
    wire::prometheus::TranslatorSettings settings;
    settings.strategy = strategy;
    settings.strategies = strategies;
    return !translated(request.body(), settings).empty();
  };
  using wire::prometheus::Strategy;
  EXPECT_TRUE(accepted("up", Strategy::kUnderscoresWithSuffixes, 0));  // up_seconds
  EXPECT_FALSE(accepted("up", Strategy::kUnderscoresWithSuffixes, 0b0010));
  EXPECT_FALSE(accepted("up", Strategy::kNone, 0));
  EXPECT_FALSE(accepted("vigia.x", Strategy::kNone, 0));  // vigia_x to who reads no UTF-8
  EXPECT_FALSE(accepted("vigia", Strategy::kUnderscoresWithoutSuffixes, 0b0011));
}

TEST(Translator, AllResourceAttributesBecomeLabelsWhereAskedFor) {
  Request request;
  set(request.resource(), "service.name", "shop");
  set(request.resource(), "host.name", "h");
  set(request.resource(), "job", "mine");
  set(request.resource(), "long", std::string(10'000, 'x'));
  request.gauge("m", 1);
  wire::prometheus::TranslatorSettings settings;
  settings.all_resource_labels = true;
  settings.target_info = false;
  EXPECT_EQ(texts(translated(request.body(), settings)),
            (Texts{R"(m{customer_id="cliente-a",host_name="h",job="shop",service_name="shop"} )"
                   R"(1 @1800000000123)"}));
}

// C03: once a pair of keys, for each series that is new, not for each of its points.
TEST(Translator, KeysThatAreJoinedAreCounted) {
  Request request;
  set(request.resource(), "service.name", "shop");
  set(request.resource(), "x.y", "1");
  set(request.resource(), "x/y", "2");
  auto* point = request.gauge("m", 1)->mutable_attributes();
  set(point, "a.b", "1");
  set(point, "a/b", "2");
  set(point, "a_b", "1");
  const SystemClock clock;
  SeriesCache cache({}, clock);
  const auto customer = *CustomerId::parse("cliente-a");
  for (int round = 0; round < 2; ++round) {
    CollectingSink sink;
    ASSERT_TRUE(Translator({}, cache).translate(customer, request.body(), Verdicts(1), sink));
  }
  EXPECT_EQ(cache.collisions(), (std::map<CustomerId, std::uint64_t>{{customer, 3}}));
}

}  // namespace
}  // namespace vigia::series
