#include "services/monitor/access/address.hpp"

#include <gtest/gtest.h>

namespace vigia::monitor::access {
namespace {

// R-SEC-18, D23.
TEST(Address, ForbiddenFormsAreRefused) {
  const AddressPolicy strict;
  for (const auto* address : {"127.0.0.1:8080",
                              "127.1:8080",
                              "2130706433:80",
                              "0x7f000001:80",
                              "0x7f.1:80",
                              "017700000001:80",
                              "169.254.169.254:80",
                              "0.0.0.0:80",
                              "10.0.0.1:80",
                              "172.16.5.5:80",
                              "192.168.1.1:80",
                              "100.64.0.1:80",
                              "224.0.0.1:80",
                              "255.255.255.255:80",
                              "[::1]:80",
                              "[::]:80",
                              "[::ffff:127.0.0.1]:80",
                              "[::ffff:8.8.8.8]:80",
                              "[fe80::1]:80",
                              "[fd00::1]:80",
                              "[ff02::1]:80",
                              "[64:ff9b::7f00:1]:80",
                              "[2002:7f00:1::]:80",
                              "[::127.0.0.1]:80",
                              "192.0.2.1",
                              "192.0.2.1:0",
                              "192.0.2.1:70000",
                              "192.0.2.1:80x",
                              "user@host:80",
                              "ho st:80",
                              "hóst:80",
                              "a..b:80",
                              "localhost:80",
                              "host:80/path",
                              ":80",
                              ""}) {
    EXPECT_FALSE(resolve_checked(address, strict).has_value()) << address;
  }
}

TEST(Address, PublicOnesPassAndPoliciesWiden) {
  EXPECT_EQ(resolve_checked("8.8.8.8:8080", {}), "8.8.8.8:8080");
  EXPECT_EQ(resolve_checked("[2600::1]:8080", {}), "[2600::1]:8080");
  EXPECT_EQ(resolve_checked("10.1.2.3:8080", {false, true}), "10.1.2.3:8080");
  EXPECT_EQ(resolve_checked("127.0.0.11:8080", {true, false}), "127.0.0.11:8080");
  EXPECT_FALSE(resolve_checked("169.254.169.254:80", {true, true}).has_value());
  // The same service by IPv6, which lies among the private addresses.
  EXPECT_FALSE(resolve_checked("[fd00:ec2::254]:80", {true, true}).has_value());
  EXPECT_TRUE(resolve_checked("[fd00::1]:80", {true, true}).has_value());
}

// R-SEC-18.
TEST(Address, UrlsAreCheckedByTheirHost) {
  EXPECT_TRUE(check_url("https://8.8.8.8/hook?x=1", {}).has_value());
  EXPECT_TRUE(check_url("http://8.8.8.8:8080", {}).has_value());
  for (const auto* url : {"http://127.0.0.1/", "https://[::1]/", "file:///etc/passwd",
                          "gopher://8.8.8.8/", "http://8.8.8.8@127.0.0.1/", "http://10.0.0.1?x",
                          "http:///x", "https://169.254.169.254#@8.8.8.8/"}) {
    EXPECT_FALSE(check_url(url, {}).has_value()) << url;
  }
}

}  // namespace
}  // namespace vigia::monitor::access
