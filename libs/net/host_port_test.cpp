#include "libs/net/host_port.hpp"

#include <gtest/gtest.h>

namespace vigia::net {
namespace {

TEST(HostPort, IsReadInItsForms) {
  const struct {
    std::string_view text;
    std::string_view host;
    std::optional<std::uint16_t> port;
    bool is_bracketed;
  } table[] = {
      {"127.0.0.1:4317", "127.0.0.1", 4317, false},
      {"localhost:0", "localhost", 0, false},
      {"node-7.example.org:65535", "node-7.example.org", 65535, false},
      {"node", "node", std::nullopt, false},
      {":8090", "", 8090, false},
      {"", "", std::nullopt, false},
      {"host:0080", "host", 80, false},
      {"[::1]:4317", "::1", 4317, true},
      {"[2001:db8::7]", "2001:db8::7", std::nullopt, true},
      {"[]:1", "", 1, true},
      {"::1", "::1", std::nullopt, false},
      {"2001:db8::1:80", "2001:db8::1:80", std::nullopt, false},
      {"a:b:c", "a:b:c", std::nullopt, false},
  };
  for (const auto& one : table) {
    const auto parts = split_host_port(one.text);
    ASSERT_TRUE(parts.has_value()) << one.text;
    EXPECT_EQ(parts->host, one.host) << one.text;
    EXPECT_EQ(parts->port, one.port) << one.text;
    EXPECT_EQ(parts->is_bracketed, one.is_bracketed) << one.text;
  }
}

TEST(HostPort, WhatIsNoneIsRefused) {
  for (const auto* text : {"host:",     "host:65536", "host:99999999999999999999",
                           "host:-1",   "host:+1",    "host: 1",
                           "host:1 ",   "host:80x",   "host:http",
                           "host:0x50", "[::1",       "::1]:80",
                           "[::1]80",   "[::1]x",     "[::1]:",
                           "[::1]:x",   "[::1]:1:2",  "[[::1]]:80",
                           "[::1]]:80", "x[::1]:80",  "ho]st:1"}) {
    EXPECT_FALSE(split_host_port(text).has_value()) << text;
  }
}

TEST(HostPort, IsWrittenAsItIsRead) {
  for (const auto* text : {"127.0.0.1:4317", "[2001:db8::7]:80", "host:0", ":1"}) {
    const auto parts = split_host_port(text);
    ASSERT_TRUE(parts.has_value());
    EXPECT_EQ(join_host_port(parts->host, *parts->port), text);
  }
}

TEST(HostPort, APeersPortMayBeAnything) {
  const struct {
    std::string_view text;
    std::string_view host;
  } table[] = {{"192.0.2.1:4711", "192.0.2.1"},
               {"192.0.2.1", "192.0.2.1"},
               {"192.0.2.1:_x", "192.0.2.1"},
               {"192.0.2.1:", "192.0.2.1"},
               {"[2001:db8::7]:_x", "2001:db8::7"},
               {"[2001:db8::7]", "2001:db8::7"},
               {"[2001:db8::7", "2001:db8::7"},
               {"2001:db8::7", "2001:db8::7"},
               {"unknown", "unknown"},
               {"", ""}};
  for (const auto& one : table) EXPECT_EQ(host_of_peer(one.text), one.host) << one.text;
}

TEST(Url, IsReadInItsForms) {
  const struct {
    std::string_view text;
    std::string_view scheme;
    std::optional<std::string_view> user_info;
    std::string_view host;
    std::optional<std::uint16_t> port;
    std::string_view rest;
  } table[] = {
      {"http://host", "http", std::nullopt, "host", std::nullopt, ""},
      {"https://host:8443/a/b?c#d", "https", std::nullopt, "host", 8443, "/a/b?c#d"},
      {"https://[::1]:1?q=http://x:y", "https", std::nullopt, "::1", 1, "?q=http://x:y"},
      {"http://host#f@g", "http", std::nullopt, "host", std::nullopt, "#f@g"},
      {"http://user@host/", "http", "user", "host", std::nullopt, "/"},
      // The host is what readers of URLs connect to: behind the last @.
      {"http://a@b:c@host:1/x@y", "http", "a@b:c", "host", 1, "/x@y"},
      {"http://@host", "http", "", "host", std::nullopt, ""},
      {"postgresql://u:p%40@db:5432/vigia", "postgresql", "u:p%40", "db", 5432, "/vigia"},
      {"http:///path", "http", std::nullopt, "", std::nullopt, "/path"},
      {"http://", "http", std::nullopt, "", std::nullopt, ""},
  };
  for (const auto& one : table) {
    const auto parts = split_url(one.text);
    ASSERT_TRUE(parts.has_value()) << one.text;
    EXPECT_EQ(parts->scheme, one.scheme) << one.text;
    EXPECT_EQ(parts->user_info, one.user_info) << one.text;
    EXPECT_EQ(parts->server.host, one.host) << one.text;
    EXPECT_EQ(parts->server.port, one.port) << one.text;
    EXPECT_EQ(parts->rest, one.rest) << one.text;
  }
}

TEST(Url, WhatIsNoneIsRefused) {
  for (const auto* text : {"", "host", "host:80", "//host", "://host", "http:/host", "http:host",
                           "http://host:65536", "http://host:x/", "http://[::1/", "http://[::1]x/",
                           "http://host:", "http://u@host:99999/"}) {
    EXPECT_FALSE(split_url(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace vigia::net
