#include "libs/cassandra/driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::cassandra {
namespace {

ConnectionSettings nobody() {
  ConnectionSettings settings;
  settings.contact_points = {"127.0.0.1:1"};  // a port that nobody may take
  settings.connect_timeout = std::chrono::seconds(5);
  return settings;
}

TEST(CassandraDriver, WhereNobodyListensIsAPassingFault) {
  if (!has_driver()) GTEST_SKIP() << "built without WITH_CASSANDRA";
  const auto driver = connect(nobody());
  ASSERT_FALSE(driver);
  EXPECT_TRUE(is_retryable(driver.error())) << driver.error().message;
}

TEST(CassandraDriver, AClusterWithoutContactPointsIsRefused) {
  if (!has_driver()) GTEST_SKIP() << "built without WITH_CASSANDRA";
  ConnectionSettings settings = nobody();
  settings.contact_points.clear();
  const auto driver = connect(settings);
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.error().code, ErrorCode::kInvalid) << driver.error().message;
}

TEST(CassandraDriver, ACertificateThatIsNotThereIsNamed) {
  if (!has_driver()) GTEST_SKIP() << "built without WITH_CASSANDRA";
  ConnectionSettings settings = nobody();
  settings.tls = TlsFiles{"/nowhere/ca.pem", "", ""};
  const auto driver = connect(settings);
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(driver.error().message, testing::HasSubstr("/nowhere/ca.pem"));
}

TEST(CassandraDriver, AProgramWithoutItSaysHowItIsBuilt) {
  if (has_driver()) GTEST_SKIP() << "built with WITH_CASSANDRA";
  const auto driver = connect(nobody());
  ASSERT_FALSE(driver);
  EXPECT_THAT(driver.error().message, testing::HasSubstr("-DWITH_CASSANDRA=ON"));
}

}  // namespace
}  // namespace vigia::cassandra
