#include "services/collector/processors/attributes/read_actions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::collector::processors::attributes {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// What is told of a list of one action, which stands in line 2.
std::string error_of(const std::string& action) {
  const auto file = service::ConfigFile::parse("a:\n- {" + action + "}\n", "c.yaml");
  read_actions(file->root().child("a"));
  const auto finished = file->finish();
  return finished ? "" : finished.error().message;
}

// C62: an error at the start, and not a rewritten customer.
TEST(ReadActions, WhatSaysWhoseDataItIsCannotBeNamed) {
  for (const char* action :
       {"key: customer.id, value: b, action: upsert", "key: customer.id, action: delete",
        "key: customer_id, action: hash", "key: customer.id, value: b, action: insert",
        "key: customer.id, converted_type: int, action: convert", "pattern: '.*', action: delete",
        "pattern: 'id$', action: hash", "key: x, pattern: '(?P<customer_id>.*)', action: extract"})
    EXPECT_THAT(error_of(action), AllOf(StartsWith("c.yaml:2: a[0]"), HasSubstr("whose data")))
        << action;
  for (const char* action :
       {"key: copy, from_attribute: customer.id, action: insert",
        "key: customer.id, pattern: '(?P<first>.)', action: extract",
        "key: customer.name, action: delete", "pattern: '^http', action: delete"})
    EXPECT_EQ(error_of(action), "") << action;
}

TEST(ReadActions, EachMistakeIsToldWithItsLine) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"key: a, action: rename", "\"rename\" is not insert"},
      {"key: a, value: 1", "action"},
      {"value: 1, action: insert", "key"},
      {"key: a, action: insert", "needs value"},
      {"key: a, value: 1, from_attribute: b, action: upsert", "only one can be given"},
      {"key: a, from_context: metadata.x, action: insert", "from_context is not supported"},
      {"key: a, value: 1, pattern: x, action: update", "not of the action update"},
      {"action: delete", "needs key or pattern"},
      {"key: a, value: 1, action: delete", "not of the action delete"},
      {"pattern: '(', action: delete", "no regular expression"},
      {"key: a, action: extract", "needs a pattern"},
      {"key: a, pattern: '(x)', action: extract", "needs a name"},
      {"key: a, pattern: 'x', action: extract", "needs a name"},
      {"key: a, action: convert", "converted_type"},
      {"key: a, converted_type: bool, action: convert", "is not int, double or string"},
      {"key: a, value: [1], action: insert", "no list"},
      {"key: a, value: 1, action: insert, kye: b", "kye"},
  };
  for (const auto& [action, message] : cases)
    EXPECT_THAT(error_of(action), AllOf(StartsWith("c.yaml:2: "), HasSubstr(message))) << action;
}

TEST(ReadActions, NoneIsAMistake) {
  const auto file = service::ConfigFile::parse("b: 1", "c.yaml");
  file->root().child("b").text();
  read_actions(file->root().child("a"));
  EXPECT_THAT(file->finish().error().message, HasSubstr("names no action"));
}

}  // namespace
}  // namespace vigia::collector::processors::attributes
