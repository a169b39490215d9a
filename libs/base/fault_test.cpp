#include "libs/base/fault.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/fault_owner.hpp"

namespace vigia {
namespace {

TEST(Faults, AreContainedCountedAndReported) {
  std::vector<std::string> told;
  report_faults_to([&told](std::string_view where, std::string_view what) {
    told.push_back(std::string(where) + ": " + std::string(what));
  });
  const std::uint64_t before = fault_count();
  EXPECT_FALSE(contain_faults("a job", [] { throw std::out_of_range("too far"); }));
  EXPECT_FALSE(contain_faults("a job", [] { throw 7; }));
  EXPECT_TRUE(contain_faults("a job", [] {}));
  EXPECT_EQ(fault_count(), before + 2);
  EXPECT_THAT(told,
              testing::ElementsAre("a job: too far", "a job: something that is no std::exception"));
  report_faults_to({});
}

TEST(Faults, AReportThatThrowsIsSurvived) {
  report_faults_to([](std::string_view, std::string_view) { throw std::runtime_error("full"); });
  EXPECT_FALSE(contain_faults("a job", [] { throw std::runtime_error("x"); }));
  report_faults_to({});
}

TEST(Faults, TheirOwnerIsKnownWhenTheyAreNoted) {
  std::vector<std::string> told;
  report_faults_to([&](std::string_view, std::string_view) { told.push_back(fault_owner()); });
  const auto fault = [] { throw std::runtime_error("a fault of ours"); };
  contain_faults("a job", fault);
  {
    const FaultOwner outer("cliente-a");
    contain_faults("a job", fault);
    {
      const FaultOwner inner(7);
      contain_faults("a job", fault);
    }
    contain_faults("a job", fault);
  }
  contain_faults("a job", fault);
  EXPECT_THAT(told, testing::ElementsAre("", "cliente-a", "number 7", "cliente-a", ""));
  report_faults_to({});
}

}  // namespace
}  // namespace vigia
