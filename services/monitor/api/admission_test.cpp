#include "services/monitor/api/admission.hpp"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace vigia::monitor::api {
namespace {

const CustomerId kOwn = *CustomerId::parse("cliente-a");
const CustomerId kOther = *CustomerId::parse("cliente-b");

struct Caller {
  std::string name;
  access::Principal principal;
};

access::Principal caller(bool is_operator, bool is_session, bool may_change) {
  access::Principal principal;
  principal.name = "somebody";
  if (!is_operator) principal.customer = kOwn;
  if (is_session) principal.session_id = "s";
  principal.may_change = may_change;
  return principal;
}

/// Everybody who can be known. A customer's tokens never change anything.
const std::vector<Caller> kCallers = {
    {"operator", caller(true, true, true)},
    {"manage token", caller(true, false, true)},
    {"read token", caller(true, false, false)},
    {"customer", caller(false, true, true)},
    {"customer's token", caller(false, false, false)},
};

std::string judged(Access access, const Caller& who, bool is_change) {
  const auto refusal = refusal_of(facts_of(access), who.principal, is_change);
  if (!refusal) return "";
  EXPECT_EQ(refusal->status, 403);
  return refusal->message;
}

constexpr const char* kReads = "this token may only read";
constexpr const char* kOperators = "only for operators";
constexpr const char* kPeople = "a token reads data; this is for people who log in";
constexpr const char* kLogIn = "only for a person who is logged in";

struct Row {
  Access access;
  std::map<std::string, std::string> refused_reads;
  std::map<std::string, std::string> refused_changes;
};

// The whole table of the REST interface: who is not in a row may.
const std::vector<Row> kTable = {
    {Access::kPublic, {}, {}},
    {Access::kLoggedIn, {}, {{"read token", kReads}, {"customer's token", kReads}}},
    {Access::kNoDataToken,
     {{"customer's token", kPeople}},
     {{"read token", kReads}, {"customer's token", kReads}}},
    {Access::kSession,
     {{"manage token", kLogIn}, {"read token", kLogIn}, {"customer's token", kLogIn}},
     {{"manage token", kLogIn}, {"read token", kReads}, {"customer's token", kReads}}},
    {Access::kOperator,
     {{"customer", kOperators}, {"customer's token", kOperators}},
     {{"customer", kOperators}, {"customer's token", kReads}, {"read token", kReads}}},
    {Access::kCustomer, {}, {{"read token", kReads}, {"customer's token", kReads}}},
    {Access::kCustomerPerson,
     {{"customer's token", kPeople}},
     {{"read token", kReads}, {"customer's token", kReads}}},
    {Access::kCustomerProtected,
     {{"customer", kOperators}, {"customer's token", kOperators}},
     {{"customer", kOperators}, {"customer's token", kOperators}, {"read token", kReads}}},
};

TEST(Admission, EveryCallerIsJudgedAtEveryAccess) {
  ASSERT_EQ(kTable.size(), kAccessFacts.size());
  for (const Row& row : kTable) {
    for (const Caller& who : kCallers) {
      for (const bool is_change : {false, true}) {
        const auto& refused = is_change ? row.refused_changes : row.refused_reads;
        const auto expected = refused.find(who.name);
        EXPECT_EQ(judged(row.access, who, is_change),
                  expected == refused.end() ? "" : expected->second)
            << "access " << static_cast<int>(row.access) << ", " << who.name
            << (is_change ? ", change" : ", read");
      }
    }
  }
}

TEST(Admission, OnlyTheLogInIsForStrangers) {
  for (const auto& facts : kAccessFacts) {
    EXPECT_EQ(facts.is_known, facts.access != Access::kPublic) << static_cast<int>(facts.access);
  }
}

TEST(Admission, APathOfACustomerIsItsOwnAndTheOperators) {
  for (const auto access :
       {Access::kCustomer, Access::kCustomerPerson, Access::kCustomerProtected}) {
    EXPECT_TRUE(facts_of(access).is_of_path);
  }
  for (const Caller& who : kCallers) {
    EXPECT_FALSE(is_foreign(kOwn, who.principal)) << who.name;
    EXPECT_EQ(is_foreign(kOther, who.principal), who.principal.customer.has_value()) << who.name;
  }
}

}  // namespace
}  // namespace vigia::monitor::api
