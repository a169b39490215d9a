#include "services/collector/settings.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace vigia::collector {
namespace {

constexpr std::string_view kGood = R"(
extensions:
  health_check: {endpoint: 127.0.0.1:13133}
  vigia_auth: {directory: {file: /dev/null}}
  file_storage: {directory: /var/lib/vigia/collector}
  bearertokenauth/cold: {token: internal}
receivers:
  otlp: {protocols: {grpc: {endpoint: 127.0.0.1:4317, auth: {authenticator: vigia_auth}},
                     http: {endpoint: 127.0.0.1:4318, auth: {authenticator: vigia_auth}}}}
processors: {memory_limiter: {limit_mib: 512}, batch: {}}
exporters:
  prometheus: {endpoint: 127.0.0.1:8889}
  prometheusremotewrite/hot-0: {endpoint: http://127.0.0.1:9090/api/v1/write}
  prometheusremotewrite/cold: {endpoint: http://127.0.0.1:9096/api/v1/write, required: true,
                               headers: {Authorization: "Bearer x"}}
  otlphttp/cold: {endpoint: http://127.0.0.1:9096, required: true,
                  auth: {authenticator: bearertokenauth/cold}}
  debug: {}
service:
  extensions: [health_check, vigia_auth, file_storage]
  telemetry: {metrics: {address: 127.0.0.1:8888}}
  pipelines:
    metrics: {receivers: [otlp], processors: [memory_limiter, batch],
              exporters: [prometheus, prometheusremotewrite/hot-0, prometheusremotewrite/cold]}
    traces: {receivers: [otlp], exporters: [otlphttp/cold]}
    logs: {receivers: [otlp], exporters: [otlphttp/cold]}
)";

/// Of the first exporter of that name.
std::string shard_of(const Settings& settings, std::string_view name) {
  const auto found =
      std::find_if(settings.exporters.begin(), settings.exporters.end(),
                   [name](const auto& exporter) { return exporter.settings.name == name; });
  return found == settings.exporters.end() ? "?" : found->settings.hot_shard;
}

Result<Settings> read(std::string text) {
  auto file = service::ConfigFile::parse(text, "collector.yaml");
  if (!file) return forward(file);
  return read_settings(*file);
}

std::string replaced(std::string_view what, std::string_view with) {
  std::string text(kGood);
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

std::string refusal(std::string_view what, std::string_view with) {
  const auto settings = read(replaced(what, with));
  EXPECT_FALSE(settings.has_value()) << with;
  return settings ? "" : settings.error().message;
}

constexpr const char* kSampling =
    "tail_sampling: {policies: [{name: a, type: always_sample}]}, attributes: {actions: [{key: a, "
    "value: b, action: insert}]}, batch: {}";

std::string with_sampling(const std::string& traces, std::string parts = kSampling) {
  std::string text = replaced("batch: {}", parts);
  const std::string before = "traces: {receivers: [otlp], exporters: [otlphttp/cold]}";
  return text.replace(text.find(before), before.size(), traces);
}

TEST(CollectorSettings, TailSamplingIsLastOfATracesList) {
  const auto settings = read(with_sampling(
      "traces: {receivers: [otlp], processors: [attributes, tail_sampling, batch], exporters: "
      "[otlphttp/cold]}"));
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->processors.tail_sampling.size(), 1U);
  EXPECT_EQ(settings->stages.size(), 1U);
  const auto unused =
      read(with_sampling("traces: {receivers: [otlp], exporters: [otlphttp/cold]}"));
  ASSERT_TRUE(unused) << unused.error().message;
  EXPECT_TRUE(unused->processors.tail_sampling.empty()) << "described, and no pipeline names it";
}

TEST(CollectorSettings, WhatTailSamplingCannotBeIsSaidWithItsPlace) {
  const auto refused = [](const std::string& traces, const std::string& parts = kSampling) {
    const auto settings = read(with_sampling(traces, parts));
    EXPECT_FALSE(settings) << traces;
    return settings ? "" : settings.error().message;
  };
  EXPECT_NE(refused("traces: {receivers: [otlp], processors: [tail_sampling, attributes], "
                    "exporters: [otlphttp/cold]}")
                .find("\"attributes\" stands behind \"tail_sampling\""),
            std::string::npos);
  EXPECT_NE(
      refused("traces: {receivers: [otlp], processors: [tail_sampling], exporters: "
              "[otlphttp/cold]}\n    traces/2: {receivers: [otlp], exporters: [otlphttp/cold]}")
          .find("traces/2: has no tail_sampling"),
      std::string::npos);
  EXPECT_NE(refused("traces: {receivers: [otlp], processors: [tail_sampling], exporters: "
                    "[otlphttp/cold]}\n    traces/2: {receivers: [otlp], processors: "
                    "[tail_sampling/2], exporters: [otlphttp/cold]}",
                    std::string(kSampling) +
                        ", tail_sampling/2: {policies: [{name: b, type: always_sample}]}")
                .find("unlike tail_sampling"),
            std::string::npos);
}

// It was said that something is missing, at line 1.
TEST(CollectorSettings, ATypoInATopLevelKeyIsNamedWithItsLine) {
  const std::pair<std::string, std::string> typos[] = {{"extensions", "extentions"},
                                                       {"receivers", "recievers"},
                                                       {"processors", "procesors"},
                                                       {"exporters", "exporter"},
                                                       {"service", "services"}};
  for (const auto& [key, typo] : typos) {
    std::string text(kGood);
    const std::size_t at = text.find("\n" + key + ":") + 1;
    text.replace(at, key.size(), typo);
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<long>(at), '\n');
    const auto settings = read(text);
    ASSERT_FALSE(settings.has_value()) << typo;
    EXPECT_EQ(settings.error().message, "collector.yaml:" + std::to_string(line) + ": " + typo +
                                            ": the key is not known; is \"" + key + "\" meant?");
  }
}

TEST(Settings, CollectorsShareTheRates) {
  EXPECT_EQ(read(std::string(kGood))->collectors, 1U);
  const auto shared = read(replaced("/dev/null}}", "/dev/null}, collectors: 3}"));
  ASSERT_TRUE(shared.has_value());
  EXPECT_EQ(shared->collectors, 3U);
  EXPECT_NE(refusal("/dev/null}}", "/dev/null}, collectors: 0}").find("collectors"),
            std::string::npos);
}

TEST(Settings, WhoTakesDeltasAndHowMany) {
  EXPECT_FALSE(read(std::string(kGood))->are_senders_sticky);
  EXPECT_EQ(read(std::string(kGood))->delta_streams, 20'000U);
  const auto sticky = read(replaced(
      "/dev/null}}", "/dev/null}, collectors: 3, sticky_senders: true, delta_streams: 5}"));
  ASSERT_TRUE(sticky.has_value());
  EXPECT_TRUE(sticky->are_senders_sticky);
  EXPECT_EQ(sticky->delta_streams, 5U);
  EXPECT_NE(refusal("/dev/null}}", "/dev/null}, delta_streams: -1}").find("delta_streams"),
            std::string::npos);
}

// It was said only once the program had started.
TEST(Settings, CustomersThatAreNotThereAreToldWithTheirLine) {
  EXPECT_NE(refusal("/dev/null", "/nope/customers.yaml")
                .find("collector.yaml:4: extensions.vigia_auth.directory.file: "
                      "/nope/customers.yaml cannot be opened: No such file"),
            std::string::npos);
}

TEST(Settings, TheDesignsFileLoads) {
  const auto settings = read(std::string(kGood));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  ASSERT_EQ(settings->receivers.size(), 2U);
  EXPECT_EQ(settings->receivers[0].endpoint, "127.0.0.1:4317");
  EXPECT_EQ(settings->processors.memory_limiter.limit_bytes, 512ULL << 20U);
  EXPECT_EQ(settings->processors.memory_limiter.series_cache_bytes, 192ULL << 20U);
  EXPECT_EQ(settings->health_endpoint, "127.0.0.1:13133");
  EXPECT_EQ(settings->storage.directory, "/var/lib/vigia/collector");
  ASSERT_EQ(settings->exporters.size(), 4U);  // debug is in no pipeline
  const auto& cold = settings->exporters[3].settings;
  EXPECT_EQ(cold.id, "otlphttp/cold");
  EXPECT_EQ(cold.name, "cold");
  EXPECT_TRUE(cold.required);
  EXPECT_EQ(cold.signals, (std::vector<Signal>{Signal::kTraces, Signal::kLogs}));
  EXPECT_FALSE(settings->exporters[1].settings.required);
  EXPECT_TRUE(settings->notes.empty());
}

TEST(Settings, BatchProcessorsBoundTheRequestsOfTheirPipelinesExporters) {
  const auto items_max = [](std::string_view batch) {
    std::vector<std::uint32_t> all;
    const auto settings = read(replaced("batch: {}", batch));
    EXPECT_TRUE(settings.has_value()) << settings.error().message;
    if (!settings) return all;
    for (const auto& exporter : settings->exporters)
      all.push_back(exporter.settings.request_items_max);
    return all;
  };
  EXPECT_EQ(items_max("batch: {}"), (std::vector<std::uint32_t>{0, 0, 0, 0}));
  // The batch processor stands in the pipeline of metrics, and the last exporter does not.
  EXPECT_EQ(items_max("batch: {send_batch_size: 500, send_batch_max_size: 700}"),
            (std::vector<std::uint32_t>{700, 700, 700, 0}));
  EXPECT_NE(refusal("batch: {}", "batch: {send_batch_max_size: 700}").find("below send_batch_size"),
            std::string::npos);
  EXPECT_TRUE(read(replaced("batch: {}",
                            "batch: {timeout: 1s, metadata_keys: [a],\n"
                            " metadata_cardinality_limit: 5}"))
                  .has_value());
}

TEST(Settings, ALargeMemoryLimitIsMostlyForSeries) {
  const auto settings = read(replaced("limit_mib: 512", "limit_mib: 1500"));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->processors.memory_limiter.series_cache_bytes, 1116ULL << 20U);
}

TEST(Settings, TheLargestBodyFollowsTheMemoryLimitUnlessItIsConfigured) {
  const auto largest = [](std::string_view from, std::string_view to, std::size_t door) {
    const auto settings = read(replaced(from, to));
    EXPECT_TRUE(settings.has_value()) << settings.error().message;
    return settings ? settings->receivers.at(door).body_bytes_max >> 20U : 0;
  };
  EXPECT_EQ(largest("limit_mib: 512", "limit_mib: 512", 0), 32U);
  EXPECT_EQ(largest("limit_mib: 512", "limit_mib: 512", 1), 32U);
  EXPECT_EQ(largest("limit_mib: 512", "limit_mib: 4096", 0), 64U);
  EXPECT_EQ(largest("limit_mib: 512", "limit_mib: 32", 0), 4U);
  EXPECT_EQ(largest("grpc: {", "grpc: {max_recv_msg_size_mib: 48, ", 0), 48U);
}

TEST(Settings, AnUnknownPartOrKeyIsNamedWithItsLine) {
  EXPECT_NE(refusal("batch: {}", "k8sattributes: {}").find("collector.yaml:10: processors.k8s"),
            std::string::npos);
  EXPECT_NE(refusal("  debug: {}", "  kafka: {}").find("collector.yaml:18: exporters.kafka"),
            std::string::npos);
  EXPECT_NE(refusal("limit_mib: 512", "limit_mib: 512, limit: 3").find("collector.yaml:10"),
            std::string::npos);
  EXPECT_NE(refusal("  otlp: {", "  jaeger: {").find("collector.yaml:8: receivers.jaeger"),
            std::string::npos);
}

// Taken in silence such a key would seem to hold.
TEST(Settings, AKeyThatAKindDoesNotHaveIsNamedWithLineAndExporter) {
  EXPECT_EQ(refusal("debug: {}", "debug: {required: true}"),
            "collector.yaml:18: exporters.debug.required: the key is not known");
  EXPECT_EQ(refusal("prometheus: {endpoint: 127.0.0.1:8889}",
                    "prometheus: {endpoint: 127.0.0.1:8889, required: true}"),
            "collector.yaml:12: exporters.prometheus.required: the key is not known");
  for (const char* kind : {"otlphttp/cold: {"}) {
    const std::string told = refusal(kind, std::string(kind) + "resource_labels: [host.name], ");
    const std::string id(kind, std::string_view(kind).find(':'));
    EXPECT_NE(told.find("exporters." + id + ".resource_labels: the key is not known"),
              std::string::npos)
        << told;
  }
  const auto read_here =
      read(replaced("prometheusremotewrite/hot-0: {",
                    "prometheusremotewrite/hot-0: {resource_labels: [host.name], "));
  ASSERT_TRUE(read_here) << read_here.error().message;
  for (const auto& exporter : read_here->exporters) {
    const bool has_own = exporter.settings.id == "prometheusremotewrite/hot-0";
    EXPECT_EQ(exporter.settings.translation.resource_labels.size(), has_own ? 1U : 3U)
        << exporter.settings.id;
    const bool is_required = exporter.settings.id.ends_with("/cold");
    EXPECT_EQ(exporter.settings.required, is_required) << exporter.settings.id;
  }
}

TEST(Settings, ReferencesMustBeDescribed) {
  EXPECT_NE(refusal("exporters: [prometheus,", "exporters: [promtail,").find("promtail"),
            std::string::npos);
  EXPECT_NE(refusal("[health_check, vigia_auth,", "[zpages, vigia_auth,").find("zpages"),
            std::string::npos);
  EXPECT_NE(refusal("authenticator: bearertokenauth/cold", "authenticator: nobody")
                .find("is not a bearertokenauth"),
            std::string::npos);
}

TEST(Settings, ADoorWithoutATokenIsRefused) {
  EXPECT_NE(refusal("endpoint: 127.0.0.1:4317, auth: {authenticator: vigia_auth}",
                    "endpoint: 127.0.0.1:4317")
                .find("vigia_auth"),
            std::string::npos);
}

// R-OTLP-2.
TEST(Settings, PathsOfSignalsAreBothDoors) {
  const std::string_view http =
      "http: {endpoint: 127.0.0.1:4318, auth: {authenticator: vigia_auth}";
  const auto settings =
      read(replaced(http, std::string(http) + ", traces_url_path: otlp/t, logs_url_path: /otlp/l"));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  ASSERT_EQ(settings->receivers.size(), 2U);
  for (const auto& door : settings->receivers) {
    EXPECT_EQ(door.paths.traces, "/otlp/t");
    EXPECT_EQ(door.paths.logs, "/otlp/l");
    EXPECT_EQ(door.paths.metrics, "/v1/metrics");
  }
  EXPECT_NE(refusal(http, std::string(http) + ", traces_url_path: /v1/logs")
                .find("two signals have one path"),
            std::string::npos);
  EXPECT_NE(refusal(http, std::string(http) + ", traces_url_path: \"/v1/tra ces\"")
                .find("traces_url_path: must be a path"),
            std::string::npos);
}

TEST(Settings, WhatADoorCannotHonourOfTlsIsRefusedWithItsLine) {
  const std::string_view grpc =
      "grpc: {endpoint: 127.0.0.1:4317, auth: {authenticator: vigia_auth}";
  const std::string tls =
      std::string(grpc) + ", tls: {cert_file: /proc/self/maps, key_file: /proc/self/maps, ";
  const auto settings = read(replaced(
      grpc, tls + "client_ca_file: /proc/self/maps, client_ca_file_reload: true, min_version: "
                  "\"1.3\", reload_interval: 24h, ca_file: /x}"));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->receivers[0].tls->min_version, net::TlsVersion::k13);
  ASSERT_FALSE(settings->notes.empty());
  EXPECT_NE(settings->notes[0].find("tls.ca_file has no effect"), std::string::npos);
  EXPECT_NE(
      refusal(grpc, tls + "cipher_suites: [TLS_AES_128_GCM_SHA256]}").find("cannot be chosen"),
      std::string::npos);
  EXPECT_NE(refusal(grpc, tls + "key_pem: abc}").find("name files"), std::string::npos);
}

TEST(Settings, SeriesExportersTakeNoTraces) {
  EXPECT_NE(refusal("traces: {receivers: [otlp], exporters: [otlphttp/cold]}",
                    "traces: {receivers: [otlp], exporters: [prometheus]}")
                .find("metrics only"),
            std::string::npos);
}

TEST(Settings, AnEndpointThatIsNoUrlIsNamedWithItsKey) {
  EXPECT_NE(refusal("endpoint: http://127.0.0.1:9096,", "endpoint: \"127.0.0.1:9096\",")
                .find("exporters.otlphttp/cold.endpoint: must be a URL"),
            std::string::npos);
}

TEST(Settings, NamesAndReadersOfNewerStockFilesAreKnown) {
  const auto settings = read(replaced(
      "telemetry: {metrics: {address: 127.0.0.1:8888}}",
      "telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.9, port: "
      "8889}}}}]}}"));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->metrics_endpoint, "127.0.0.9:8889");
  EXPECT_TRUE(read(replaced("  debug: {}", "  otlp_http: {endpoint: http://far}")).has_value());
}

TEST(Settings, WhatBecomesOfDataWithoutACustomerIsChosen) {
  EXPECT_FALSE(read(std::string(kGood))->fills_missing_customer);
  const auto auth = [](const std::string& choice) {
    return replaced("{file: /dev/null}}", "{file: /dev/null}, missing_customer: " + choice + "}");
  };
  EXPECT_TRUE(read(auth("fill"))->fills_missing_customer);
  EXPECT_FALSE(read(auth("refuse"))->fills_missing_customer);
  EXPECT_FALSE(read(auth("guess")).has_value());
}

TEST(Settings, KnownKeysWithoutEffectAreTold) {
  const auto settings = read(replaced("batch: {}", "batch: {timeout: 5s, send_batch_size: 1000}"));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  ASSERT_EQ(settings->notes.size(), 2U);
  EXPECT_NE(settings->notes[0].find("processors.batch.timeout has no effect"), std::string::npos);
}

TEST(CollectorSettings, TwoExportersWriteAPairOfOneShard) {
  std::string text(kGood);
  text.replace(text.find("api/v1/write}"), 13, "api/v1/write, hot_shard: hot-7}");
  const auto settings = read(text);
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(shard_of(*settings, "hot-0"), "hot-7");
  for (const char* wrong : {"yes", "On", "FALSE", "\"a b\"", "-a"}) {
    text = kGood;
    text.replace(text.find("api/v1/write}"), 13,
                 std::string("api/v1/write, hot_shard: ") + wrong + "}");
    const auto refused = read(text);
    ASSERT_FALSE(refused.has_value()) << wrong;
    EXPECT_NE(refused.error().message.find("hot_shard: must be true, false"), std::string::npos)
        << refused.error().message;
  }
}

TEST(CollectorSettings, AHotShardIsOneByNameOrByItsKey) {
  auto settings = read(std::string(kGood));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(shard_of(*settings, "hot-0"), "hot-0");
  EXPECT_EQ(shard_of(*settings, "cold"), "");
  std::string text(kGood);
  text.replace(text.find("api/v1/write}"), 13, "api/v1/write, hot_shard: false}");
  text.replace(text.find("required: true"), 14, "hot_shard: true");
  settings = read(text);
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(shard_of(*settings, "hot-0"), "");
  EXPECT_EQ(shard_of(*settings, "cold"), "cold");
}

TEST(Settings, ThePullExportersKeysAreUpstreams) {
  EXPECT_TRUE(read(
      replaced("prometheus: {endpoint: 127.0.0.1:8889}",
               "prometheus: {endpoint: 127.0.0.1:8889, namespace: acme, const_labels: {site: a},"
               " send_timestamps: true, metric_expiration: 180m, enable_open_metrics: true,"
               " add_metric_suffixes: false, resource_to_telemetry_conversion: {enabled: true}}")));
  EXPECT_EQ(refusal("prometheus: {endpoint: 127.0.0.1:8889}",
                    "prometheus: {const_labels: {customer_id: b}}"),
            "collector.yaml:12: exporters.prometheus.const_labels.customer_id: is no label that an "
            "exporter may set");
  EXPECT_EQ(
      refusal("prometheus: {endpoint: 127.0.0.1:8889}", "prometheus: {namespace: a-b}"),
      "collector.yaml:12: exporters.prometheus.namespace: is no beginning of a metric's name");
}

}  // namespace
}  // namespace vigia::collector
