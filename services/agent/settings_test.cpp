#include "services/agent/settings.hpp"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/agent/own_address.hpp"

namespace vigia::agent {
namespace {

using testing::HasSubstr;

constexpr const char* kSmallest = R"(
customer: {id: cliente-a}
node: {id: prod-web-01}
collector: {endpoint: "http://collector.example:4317"}
)";

Result<Settings> read(const std::string& text) {
  auto file = service::ConfigFile::parse(text, "agent.yaml");
  if (!file) return forward(file);
  return read_settings(*file);
}

std::string error_of(const std::string& text) {
  auto settings = read(text);
  return settings ? "no error" : settings.error().message;
}

TEST(AgentSettings, SmallestFileGetsTheDefaults) {
  const auto settings = read(kSmallest);
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->telemetry.interval, std::chrono::seconds(15));
  EXPECT_EQ(settings->health.listen, "0.0.0.0:8080");
  EXPECT_EQ(settings->relay.grpc, "127.0.0.1:4317");
  EXPECT_EQ(settings->relay.http, "127.0.0.1:4318");
  EXPECT_EQ(settings->buffer.bytes_max, 512ULL << 20U);
  EXPECT_EQ(settings->buffer.age_max, std::chrono::hours(24));
  EXPECT_EQ(settings->collector.protocol, otlp::Protocol::kGrpc);
  EXPECT_EQ(settings->telemetry.host.proc, "/proc");
}

TEST(AgentSettings, AllKeysAreRead) {
  ::setenv("VIGIA_TEST_TOKEN", "secret-1", 1);
  const auto settings = read(R"(
customer: {id: cliente-a, name: Empresa XYZ}
node: {id: prod-web-01, region: us-east-1}
environment: production
collector: {endpoint: "https://c.example/", protocol: http, token: "${env:VIGIA_TEST_TOKEN}", compression: none,
            timeout: 3s, tls: {ca_file: ca.pem, cert_file: c.pem, key_file: k.pem}}
interval: 5s
health: {listen: "127.0.0.1:8081", token: abc,
         tls: {cert_file: /proc/self/maps, key_file: /proc/self/stat}}
relay: {grpc: "", http: "127.0.0.1:14318"}
buffer: {directory: /tmp/b, bytes_max: 64MiB, age_max: 1h}
host: {proc: /host/proc, sys: /host/sys, root: /host, connections: list,
       filesystems: {exclude_mounts: ["/mnt/*"], exclude_types: [nfs4]}, interfaces: {exclude: []}}
)");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->collector.endpoint, "https://c.example");
  EXPECT_EQ(settings->collector.token, "secret-1");
  EXPECT_EQ(settings->collector.compression, "");
  EXPECT_EQ(settings->collector.tls->ca_file, "ca.pem");
  EXPECT_EQ(settings->health.tls->key_file, "/proc/self/stat");
  EXPECT_EQ(settings->relay.grpc, "");
  EXPECT_EQ(settings->buffer.directory, "/tmp/b");
  EXPECT_EQ(settings->telemetry.host.root, "/host");
  EXPECT_TRUE(settings->telemetry.host.lists_connections);
  EXPECT_EQ(settings->telemetry.host.excludes.mounts, std::vector<std::string>{"/mnt/*"});
  EXPECT_EQ(settings->telemetry.host.excludes.types, std::vector<std::string>{"nfs4"});
  EXPECT_TRUE(settings->telemetry.host.excludes.interfaces.empty());
}

TEST(AgentSettings, ErrorsNameFileLineAndKey) {
  EXPECT_THAT(error_of("customer: {id: cliente-a}\nnode: {id: n}\ncollector: {endpont: x}\n"),
              HasSubstr("agent.yaml:3"));
  EXPECT_THAT(error_of(std::string(kSmallest) + "interval: 500ms\n"),
              HasSubstr("agent.yaml:5: interval: is not 1s to 1h"));
  EXPECT_THAT(error_of(std::string(kSmallest) + "intervall: 5s\n"), HasSubstr("intervall"));
  EXPECT_THAT(error_of(std::string(kSmallest) + "buffer: {bytes_max: 1MiB}\n"),
              HasSubstr("buffer.bytes_max: is below 4MiB"));
  EXPECT_THAT(error_of("customer: {id: Cliente A}\nnode: {id: n}\n"
                       "collector: {endpoint: \"http://c:1\"}\n"),
              HasSubstr("agent.yaml:1: customer.id"));
  EXPECT_THAT(error_of("customer: {id: a}\nnode: {id: n}\n"
                       "collector: {endpoint: \"ftp://c:1\"}\n"),
              HasSubstr("collector.endpoint"));
}

// D27.
TEST(AgentSettings, TokenThatWouldMakeASecondHeaderIsRefused) {
  EXPECT_THAT(error_of("customer: {id: a}\nnode: {id: n}\n"
                       "collector: {endpoint: \"http://c:1\", token: \"a\\r\\nX: y\"}\n"),
              HasSubstr("collector.token"));
}

// D27: a secret out of a file ends with a line feed.
TEST(AgentSettings, TokensAreTrimmedAtTheirEndsAndNowhereElse) {
  const auto with_token = [](const std::string& token) {
    ::setenv("VIGIA_TEST_TOKEN", token.c_str(), 1);
    return "customer: {id: a}\nnode: {id: n}\n"
           "collector: {endpoint: \"http://c:1\", token: \"${env:VIGIA_TEST_TOKEN}\"}\n";
  };
  for (const std::string token : {"TOKEN", "TOKEN\n", "TOKEN ", "TOKEN\r\n", "\t TOKEN"}) {
    const auto settings = read(with_token(token));
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_EQ(settings->collector.token, "TOKEN");
  }
  for (const std::string token : {"TOKEN\r\nX-Evil: 1", "TO KEN", "TOK\xc3\xa9N"})
    EXPECT_THAT(error_of(with_token(token)), HasSubstr("collector.token: holds"));
  for (const std::string token : {"", "\n"})
    EXPECT_THAT(error_of(with_token(token)), HasSubstr("agent.yaml:3: collector.token: is empty"));
}

TEST(AgentSettings, EndpointThatIsTheOwnRelayIsRefused) {
  const std::string head = "customer: {id: a}\nnode: {id: n}\n";
  EXPECT_THAT(error_of(head + "collector: {endpoint: \"http://127.0.0.1:4317\"}\n"),
              HasSubstr("agent.yaml:3: collector.endpoint: is this agent's own relay"));
  EXPECT_THAT(error_of(head + "collector: {endpoint: \"http://localhost:4318\"}\n"),
              HasSubstr("own relay"));
  EXPECT_EQ(error_of(head + "collector: {endpoint: \"http://127.0.0.1:4317\"}\n"
                            "relay: {grpc: \"127.0.0.11:4317\", http: \"127.0.0.11:4318\"}\n"),
            "no error");
}

TEST(AgentSettings, OwnAddressesAreKnown) {
  EXPECT_TRUE(is_own_address("http://127.0.0.1:4317", "0.0.0.0:4317"));
  EXPECT_TRUE(is_own_address("http://127.0.0.5:4317", "0.0.0.0:4317"));
  EXPECT_TRUE(is_own_address("http://0.0.0.0:4317", "127.0.0.1:4317"));
  EXPECT_TRUE(is_own_address("http://[::1]:4317", "[::1]:4317"));
  EXPECT_TRUE(is_own_address("https://localhost", "127.0.0.1:443"));
  EXPECT_FALSE(is_own_address("http://127.0.0.1:4319", "127.0.0.1:4317"));
  EXPECT_FALSE(is_own_address("http://192.0.2.7:4317", "0.0.0.0:4317"));
  EXPECT_FALSE(is_own_address("http://127.0.0.1:4317", "127.0.0.1:0"));
}

}  // namespace
}  // namespace vigia::agent
