#include "services/collector/exporters/sender_settings.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace vigia::collector::exporters {
namespace {

/// Nothing where something in the text is refused.
std::optional<SenderSettings> read(const std::string& text,
                                   BareEndpoint bare = BareEndpoint::kRefused) {
  const std::map<std::string, std::string> tokens{{"bearertokenauth/cold", "Bearer internal"}};
  config::Notes notes;
  const auto file = service::ConfigFile::parse(text, "collector.yaml");
  EXPECT_TRUE(file.has_value()) << text;
  if (!file) return std::nullopt;
  auto sender = read_sender(file->root(), bare, {tokens, notes});
  if (!file->finish()) return std::nullopt;
  return sender;
}

// Stock files write "host:4317" for OTLP over gRPC.
TEST(SenderSettings, AnEndpointWithoutASchemeIsTlsUnlessItSaysInsecure) {
  const auto endpoint = [](const std::string& text) {
    const auto sender = read(text, BareEndpoint::kTls);
    return sender ? sender->http.endpoint : "";
  };
  EXPECT_EQ(endpoint("endpoint: \"far:4317\""), "https://far:4317");
  EXPECT_EQ(endpoint("{endpoint: \"far:4317\", tls: {insecure: true}}"), "http://far:4317");
  EXPECT_EQ(endpoint("endpoint: http://far:4317"), "http://far:4317");
  EXPECT_FALSE(read("{endpoint: \"https://far\", tls: {insecure: true}}"));
  EXPECT_FALSE(read("endpoint: \"far:4317\""));
  EXPECT_FALSE(read("timeout: 3s")) << "nowhere to send";
}

TEST(SenderSettings, AnAuthenticatorBecomesAHeaderBesideTheOthers) {
  const auto sender =
      read("{endpoint: http://far, headers: {a: b}, auth: {authenticator: bearertokenauth/cold}}");
  ASSERT_TRUE(sender);
  ASSERT_EQ(sender->http.headers.size(), 2U);
  EXPECT_EQ(sender->http.headers[1].first, "Authorization");
  EXPECT_EQ(sender->http.headers[1].second, "Bearer internal");
  EXPECT_FALSE(read("{endpoint: http://far, auth: {authenticator: nobody}}"));
}

TEST(SenderSettings, WhatMayLieAsideOfACustomerHasAKey) {
  const auto side_bytes = [](const std::string& value) -> std::optional<std::uint64_t> {
    const auto sender =
        read("{endpoint: http://far, side_queue: {customer_bytes_max: " + value + "}}");
    if (!sender) return std::nullopt;
    return sender->push.side_customer_bytes_max;
  };
  EXPECT_EQ(PushSettings{}.side_customer_bytes_max, 256U << 20U);
  EXPECT_EQ(side_bytes("64KiB"), 64U << 10U);
  EXPECT_FALSE(side_bytes("0"));
}

TEST(SenderSettings, WhatRefusalsOfACustomerMayCostHasAKey) {
  const auto bytes = [](const std::string& value) -> std::optional<std::uint64_t> {
    const auto sender =
        read("{endpoint: http://far, refusals: {customer_bytes_per_second: " + value + "}}");
    if (!sender) return std::nullopt;
    return sender->push.refused_bytes_per_second;
  };
  EXPECT_EQ(PushSettings{}.refused_bytes_per_second, 16U << 10U);
  EXPECT_EQ(bytes("4KiB"), 4U << 10U);
  EXPECT_FALSE(bytes("0"));
}

}  // namespace
}  // namespace vigia::collector::exporters
