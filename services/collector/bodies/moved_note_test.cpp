#include "services/collector/bodies/moved_note.hpp"

#include <gtest/gtest.h>

#include "libs/model/verdicts.hpp"

namespace vigia::collector::bodies {
namespace {

TEST(MovedNote, SaysWhereARecordCameFrom) {
  for (const std::uint64_t sequence : {std::uint64_t{1}, std::uint64_t{300}, ~std::uint64_t{0}})
    EXPECT_EQ(moved_sequence(moved_note(sequence)), sequence);
}

TEST(MovedNote, IsNoVerdictAndVerdictsAreNoneOfIt) {
  EXPECT_FALSE(Verdicts::decode(moved_note(7)));
  for (const std::uint32_t items : {1U, 300U}) {
    Verdicts verdicts(items);
    EXPECT_FALSE(moved_sequence(verdicts.encode()));
    verdicts.reject(0, RejectReason::kForeign);
    EXPECT_FALSE(moved_sequence(verdicts.encode()));
  }
  EXPECT_FALSE(moved_sequence(""));
  EXPECT_FALSE(moved_sequence(moved_note(300).substr(0, 6)));
  EXPECT_FALSE(moved_sequence(moved_note(300) + "x"));
}

}  // namespace
}  // namespace vigia::collector::bodies
