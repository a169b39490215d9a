#include "libs/net/internal/peer_address.hpp"

#include <gtest/gtest.h>

namespace vigia::net::internal {
namespace {

TEST(PeerAddress, AShareIsOfAnIpv4AddressOrAnIpv6Site) {
  EXPECT_EQ(share_name("10.0.0.7"), "10.0.0.7");
  EXPECT_EQ(share_name("::ffff:10.0.0.7"), "10.0.0.7");
  EXPECT_EQ(share_name("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(share_name("2001:db8:1:2::9"), "2001:db8:1:2::/64");
  EXPECT_NE(share_name("2001:db8:1:3::9"), "2001:db8:1:2::/64");
}

TEST(TrustedProxies, AreAddressesAndNetworks) {
  const auto proxies = TrustedProxies::parse({"127.0.0.1", "10.16.0.0/12", "fd00::/8"});
  ASSERT_TRUE(proxies.has_value()) << proxies.error().message;
  for (const auto* in : {"127.0.0.1", "::ffff:127.0.0.1", "10.16.0.1", "10.31.255.255", "fd12::1"})
    EXPECT_TRUE(proxies->contains(in)) << in;
  for (const auto* out : {"127.0.0.2", "10.32.0.0", "10.15.255.255", "fe80::1", "", "x"})
    EXPECT_FALSE(proxies->contains(out)) << out;
}

TEST(TrustedProxies, ABadEntryIsNamed) {
  for (const auto* bad : {"", "proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "::1/129"}) {
    const auto proxies = TrustedProxies::parse({"10.0.0.1", bad});
    ASSERT_FALSE(proxies.has_value()) << bad;
    EXPECT_NE(proxies.error().message.find(std::string("\"") + bad + "\""), std::string::npos);
  }
}

std::string client(const Headers& headers) {
  return TrustedProxies::parse({"10.0.0.0/8"})->client(headers).value_or("-");
}

TEST(TrustedProxies, TheClientIsTheLastStrangerInTheList) {
  EXPECT_EQ(client({{"x-forwarded-for", "192.0.2.7"}}), "192.0.2.7");
  EXPECT_EQ(client({{"x-forwarded-for", "203.0.113.1, 192.0.2.7, 10.0.0.2"}}), "192.0.2.7");
  EXPECT_EQ(client({{"x-forwarded-for", "203.0.113.1"}, {"x-forwarded-for", "192.0.2.7"}}),
            "192.0.2.7");
  EXPECT_EQ(client({{"forwarded", "for=203.0.113.1, for=192.0.2.7;proto=https"}}), "192.0.2.7");
  EXPECT_EQ(client({{"forwarded", R"(proto=https; For="[2001:db8::1]:4711")"}}), "2001:db8::1");
  EXPECT_EQ(client({{"x-forwarded-for", "192.0.2.7:80"}, {"forwarded", "for=203.0.113.1"}}),
            "192.0.2.7");
}

TEST(TrustedProxies, WhatIsNoAddressNamesNobody) {
  EXPECT_EQ(client({}), "-");
  EXPECT_EQ(client({{"x-forwarded-for", "192.0.2.7, unknown"}}), "-");
  EXPECT_EQ(client({{"x-forwarded-for", ""}}), "-");
  EXPECT_EQ(client({{"forwarded", "for=_hidden"}}), "-");
  EXPECT_EQ(client({{"forwarded", "proto=https"}}), "-");
  EXPECT_EQ(client({{"x-forwarded-for", "10.0.0.1, 10.0.0.2"}}), "-");
}

}  // namespace
}  // namespace vigia::net::internal
