// docs/api/router.yaml and the gateway name the same paths.
#include <algorithm>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "services/router/testing/served_gateway.hpp"

namespace vigia::router {
namespace {

/// "GET /api/v1/labels". OpenAPI has one kind of placeholder, net::Routes two.
std::set<std::string> served() {
  stores::StoresSettings settings;
  settings.hot_shards = {{"hot-0", "http://127.0.0.1:9"}};
  const testing::ServedGateway gateway(settings);
  std::set<std::string> all;
  for (auto [method, pattern] : gateway.routes()) {
    std::erase(pattern, '*');
    EXPECT_TRUE(all.insert(method + " " + pattern).second) << method << pattern << " twice";
  }
  return all;
}

std::set<std::string> written() {
  std::set<std::string> all;
  for (const auto& path : YAML::LoadFile("docs/api/router.yaml")["paths"]) {
    for (const auto& operation : path.second) {
      auto method = operation.first.as<std::string>();
      if (method == "parameters") continue;
      std::transform(method.begin(), method.end(), method.begin(),
                     [](char c) { return static_cast<char>(c - 'a' + 'A'); });
      all.insert(method + " " + path.first.as<std::string>());
    }
  }
  return all;
}

TEST(GatewayContract, HasEveryPathThatIsServedAndNoOther) {
  EXPECT_THAT(written(), ::testing::ContainerEq(served()));
}

}  // namespace
}  // namespace vigia::router
