#include "services/monitor/access/client_address.hpp"

#include <gtest/gtest.h>

namespace vigia::monitor::access {
namespace {

// R-WEB-9.
TEST(Forwarded, IsReadFromTheRightAndFromTrustedPeersOnly) {
  const auto proxies = DoorProxies::parse({"10.0.0.0/8", "2001:db8::/32", "192.0.2.1"});
  ASSERT_TRUE(proxies.has_value());
  const auto client = [&](const std::string& peer, net::Headers headers) {
    net::RequestHead head;
    head.peer = peer;
    head.headers = std::move(headers);
    return proxies->client_of(head);
  };
  EXPECT_EQ(client("10.1.2.3:4", {{"x-forwarded-for", "198.51.100.7"}}), "198.51.100.7");
  EXPECT_EQ(client("[::ffff:10.1.2.3]:4", {{"x-forwarded-for", "198.51.100.7"}}), "198.51.100.7");
  // What the client wrote itself stands left of what the proxy saw.
  EXPECT_EQ(client("10.1.2.3:4", {{"x-forwarded-for", "8.8.8.8, 198.51.100.7"}}), "198.51.100.7");
  EXPECT_EQ(client("10.1.2.3:4",
                   {{"x-forwarded-for", "8.8.8.8"}, {"x-forwarded-for", "198.51.100.7, 10.9.9.9"}}),
            "198.51.100.7");
  EXPECT_EQ(client("198.51.100.9:4", {{"x-forwarded-for", "8.8.8.8"}}), "198.51.100.9:4");
  EXPECT_EQ(client("198.51.100.7:0", {{"x-forwarded-for", "8.8.8.8"}}), "198.51.100.7")
      << "the server has asked the proxy";
  EXPECT_EQ(client("10.1.2.3:4", {{"x-forwarded-for", "nonsense"}}), "10.1.2.3:4");
  EXPECT_EQ(client("10.1.2.3:4", {}), "10.1.2.3:4");
  EXPECT_EQ(client("10.1.2.3:4", {{"x-forwarded-for", "2001:dead::1"}}), "[2001:dead::1]");
  EXPECT_EQ(client("[2001:db8::9]:4",
                   {{"forwarded", "for=8.8.8.8;proto=https, FOR=\"[2001:dead::1]:47\";by=x"}}),
            "[2001:dead::1]:47");
  EXPECT_EQ(client("192.0.2.1:4", {{"forwarded", "for=_hidden"}}), "192.0.2.1:4");
  EXPECT_EQ(client("192.0.2.1:4", {{"forwarded", "proto=https"}}), "192.0.2.1:4");
  for (const auto* bad : {"", "10.0.0.0/33", "10.0.0/8", "x", "10.0.0.0/", "::/129"}) {
    EXPECT_FALSE(DoorProxies::parse({bad}).has_value()) << bad;
  }
  EXPECT_EQ(caller_key("198.51.100.7"), caller_key("198.51.100.7:99"));
  EXPECT_EQ(caller_key("[2001:db8:1:2::3]"), caller_key("[2001:db8:1:2::4]:5"));
}

}  // namespace
}  // namespace vigia::monitor::access
