#include "services/monitor/bootstrap.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/monitor/store/testing/scratch_database.hpp"
#include "services/monitor/users/users.hpp"

namespace vigia::monitor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BootstrapTest : public ::testing::Test {
 protected:
  Result<bool> bootstrap(const std::string& user, const std::string& password) {
    return bootstrap_operator(user, password, hasher_, clock_, *database_);
  }
  std::vector<users::UserRow> users_of(const std::optional<CustomerId>& customer) {
    return (*database_)
        .read([&](store::DatabaseConnection& c) { return users::list_users(customer, c); })
        .value();
  }
  std::vector<std::string> operators() {
    std::vector<std::string> names;
    for (const auto& user : users_of(std::nullopt)) names.push_back(user.name);
    return names;
  }

  ManualClock clock_{1'800'000'000'000'000'000};
  store::ScratchDatabase database_;
  users::PasswordHasher hasher_;
};

TEST_F(BootstrapTest, TheFirstOperatorIsMadeOnce) {
  EXPECT_THAT(operators(), IsEmpty());
  EXPECT_TRUE(bootstrap("admin", "cobre-lagarto-ventana-71").value());
  EXPECT_THAT(operators(), ElementsAre("admin"));
  const auto made = users_of(std::nullopt).front();
  EXPECT_EQ(made.created_ms, clock_.wall_ms());
  EXPECT_EQ(made.password_hash.find("lagarto"), std::string::npos) << "only its hash is kept";
}

// The file outlives its use: whoever changes the password in it must not change the operator's.
TEST_F(BootstrapTest, ALaterConfigurationChangesNothing) {
  ASSERT_TRUE(bootstrap("admin", "cobre-lagarto-ventana-71").value());
  const std::string hash = users_of(std::nullopt).front().password_hash;
  EXPECT_FALSE(bootstrap("admin", "otra-cosa-muy-distinta-9").value());
  EXPECT_FALSE(bootstrap("second", "cobre-lagarto-ventana-71").value());
  EXPECT_THAT(operators(), ElementsAre("admin"));
  EXPECT_EQ(users_of(std::nullopt).front().password_hash, hash);
}

}  // namespace
}  // namespace vigia::monitor
