#include "services/router/plan/notes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/router/request/times.hpp"
#include "services/router/testing/questions.hpp"
#include "services/router/testing/scripted_store.hpp"

namespace vigia::router::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kNowMs;

const std::string kNow = request::format_time(kNowMs);
const std::string kFrom = request::format_time(kNowMs - 300'000);

Course at(Step step, coverage::Covered covered, const std::string& query = "up",
          std::optional<coverage::ColdReplacement> worse = std::nullopt) {
  Knowledge known;
  known.hot = {{0, covered}};
  return {testing::instant(query), QueryPlan{{step}, std::move(worse)}, known};
}
Step hot(Standing standing) { return {Store::kHot, standing, Resolution::kRaw, 0}; }
const Step kCold{Store::kLongTerm, Standing::kLongTerm};

TEST(Notes, HotThatHoldsAllHasNothingToWarnOf) {
  for (const auto standing :
       {Standing::kHolds, Standing::kAlone, Standing::kHoldsMore, Standing::kInstead}) {
    const Notes notes = notes_of_hot(at(hot(standing), {0, 0}));
    EXPECT_THAT(notes.warnings, IsEmpty());
    EXPECT_THAT(notes.infos, IsEmpty());
    EXPECT_EQ(notes.served, "hot=" + kFrom + "/" + kNow);
  }
}

TEST(Notes, HotThatHoldsLessSaysWhyNobodyElseWasAsked) {
  const coverage::Covered some{kNowMs - 1'000, 0};
  const std::string since = request::format_time(*some.from);
  const coverage::ColdReplacement worse{kNowMs};
  EXPECT_EQ(notes_of_hot(at(hot(Standing::kInstead), some)).served, "hot=" + since + "/" + kNow);
  EXPECT_THAT(notes_of_hot(at(hot(Standing::kInstead), some)).warnings,
              ElementsAre("cold part missing: the long-term store does not answer, so samples "
                          "before " +
                          since + " may be missing here"));
  EXPECT_THAT(notes_of_hot(at(hot(Standing::kHoldsMore), some, "up", worse)).warnings,
              ElementsAre("cold part missing: " + worse.text() + "; samples before " + since +
                          " may be missing here"));
  EXPECT_THAT(notes_of_hot(at(hot(Standing::kAlone), some)).warnings, IsEmpty());
  EXPECT_THAT(notes_of_hot(at(hot(Standing::kAlone), some)).infos,
              ElementsAre("there is no long-term store here: older samples do not exist"));
}

TEST(Notes, AMemberThatMayHoldLessThanTheOtherSaysSo) {
  const std::string why =
      "hot part may be incomplete: the other store of the pair, which may hold more, does not "
      "answer";
  const coverage::Covered some{kNowMs - 1'000, 0};
  EXPECT_THAT(notes_of_hot(at(hot(Standing::kLesser), some)).warnings,
              ElementsAre(why + ", so samples before " + request::format_time(*some.from) +
                          " may be missing here"));
  EXPECT_THAT(notes_of_hot(at(hot(Standing::kLesser), {})).warnings,
              ElementsAre(why + ", and it is not known what this one holds"));
  EXPECT_THAT(notes_of_hot(at(hot(Standing::kLesser), {0, 0})).warnings, IsEmpty());
}

TEST(Notes, NoRangeEndsBeforeItBegins) {
  struct Case {
    TimestampMs covered_from;  ///< by hot; the query reads from five minutes ago until now
    TimestampMs begins;
  };
  for (const Case& each :
       {Case{kNowMs - 900'000, kNowMs - 300'000}, Case{kNowMs - 1, kNowMs - 1},
        Case{kNowMs, kNowMs}, Case{kNowMs + 1, kNowMs}, Case{kNowMs + 900'000, kNowMs}}) {
    EXPECT_EQ(notes_of_hot(at(hot(Standing::kInstead), {each.covered_from, 0})).served,
              "hot=" + request::format_time(each.begins) + "/" + kNow);
  }
}

TEST(Notes, AStoreThatRefusedIsNotOneThatDoesNotAnswer) {
  const std::string since = request::format_time(kNowMs - 1'000);
  Course course = at(hot(Standing::kInstead), {kNowMs - 1'000, 0});
  course.note_refusal(Error{ErrorCode::kOverLimit, "more than 9 series; narrow it"});
  EXPECT_THAT(notes_of_hot(course).warnings,
              ElementsAre("cold part missing: the long-term store has refused this (more than 9 "
                          "series; narrow it), so samples before " +
                          since + " may be missing here"));
  course.note_refusal(std::nullopt);
  EXPECT_THAT(notes_of_hot(course).warnings,
              ElementsAre(::testing::HasSubstr("the long-term store does not answer")));
}

TEST(Notes, HotOfWhichNothingIsKnownSaysSo) {
  EXPECT_EQ(notes_of_hot(at(hot(Standing::kInstead), {})).served, "hot=unknown/" + kNow);
  EXPECT_THAT(notes_of_hot(at(hot(Standing::kInstead), {})).warnings,
              ElementsAre("cold part missing: the long-term store does not answer, and it is not "
                          "known what the hot store holds"));
  const coverage::ColdReplacement worse;
  EXPECT_THAT(notes_of_hot(at(hot(Standing::kHoldsMore), {}, "up", worse)).warnings,
              ElementsAre("cold part missing: " + worse.text() +
                          "; samples before a time not known may be missing here"));
}

TEST(Notes, TheLongTermStoreSaysHowItsSamplesWereThinned) {
  struct Case {
    Resolution resolution;
    std::string served;
  };
  for (const auto& each :
       {Case{Resolution::kRaw, "cold:raw="}, Case{Resolution::kFiveMinutes, "cold:5m="},
        Case{Resolution::kHour, "cold:1h="}, Case{Resolution::kDay, "cold:1d="}}) {
    const Step step{Store::kLongTerm, Standing::kLongTerm, each.resolution, 0};
    EXPECT_EQ(notes_of_long_term(at(step, {}), {}).served, each.served + kFrom + "/" + kNow);
  }
}

TEST(Notes, TheLongTermStoreSaysWhatItLacks) {
  const Notes whole = notes_of_long_term(at(kCold, {}), {});
  EXPECT_EQ(whole.served, "cold:raw=" + kFrom + "/" + kNow);
  EXPECT_THAT(whole.warnings, IsEmpty());
  ColdState cold;
  cold.lost = "lost";
  cold.replaced = coverage::ColdReplacement{kNowMs};
  cold.gaps = "damaged-files";
  const std::string replaced = "cold part may be incomplete: " + cold.replaced->text();
  EXPECT_THAT(notes_of_long_term(at(kCold, {}), cold).warnings,
              ElementsAre("lost", replaced,
                          "cold part may be incomplete: rows of damaged files are still being "
                          "written anew"));
  cold.replaced = coverage::ColdReplacement{kNowMs - 300'000};
  EXPECT_THAT(notes_of_long_term(at(kCold, {}), cold).warnings,
              ElementsAre("lost", gaps_warning("index")))
      << "it has been there since before";
}

TEST(Notes, WhatIsSetAsideIsNoDamage) {
  ColdState cold;
  cold.gaps = "quarantine";
  EXPECT_THAT(notes_of_long_term(at(kCold, {}), cold).warnings,
              ElementsAre("cold part may be incomplete: samples that it did not take are set "
                          "aside, and the provider is told of them"));
}

TEST(Notes, WhatAnotherInstanceHasOpenIsNoDamage) {
  ColdState cold;
  cold.gaps = "peers";
  EXPECT_THAT(notes_of_long_term(at(kCold, {}), cold).warnings,
              ElementsAre("cold part may be incomplete: a storage instance that may have samples "
                          "of the last hours does not answer"));
}

TEST(Notes, WhatTouchesNothingWasServedByNobody) {
  EXPECT_EQ(notes_of_hot(at(hot(Standing::kAlone), {}, "1")).served, "");
  ColdState cold;
  cold.gaps = "damaged-files";
  const Notes notes = notes_of_long_term(at(kCold, {}, "1"), cold);
  EXPECT_EQ(notes.served, "");
  EXPECT_THAT(notes.warnings, IsEmpty());
}

TEST(Notes, RemarksOfPromqlComeBehindOurs) {
  Notes notes{{"ours"}, {}, "hot=a/b"};
  finish_notes(
      testing::envelope_of(R"({"status":"success","data":1,"warnings":["PromQL warning: w",)"
                           R"("remote read 127.0.0.1:1"],"infos":["PromQL info: i"]})"),
      notes);
  EXPECT_THAT(notes.warnings, ElementsAre("ours", "PromQL warning: w"));
  EXPECT_THAT(notes.infos, ElementsAre("PromQL info: i", "served by hot=a/b"));
}

TEST(Notes, WhatHasExpiredIsSaid) {
  const auto warnings = [](Step step, const coverage::KeptFrom& kept) {
    Knowledge known;
    known.kept = kept;
    const Course course(testing::instant("up"), QueryPlan{{std::move(step)}, std::nullopt}, known);
    return notes_of_long_term(course, {}).warnings;
  };
  const coverage::KeptFrom none{1, {kNowMs - 300'000, kNowMs - 300'000, 0, 0}};
  const coverage::KeptFrom some{1, {kNowMs, kNowMs, 0, 0}};
  EXPECT_THAT(warnings(kCold, none), IsEmpty());
  EXPECT_THAT(warnings(kCold, some),
              ElementsAre("expired: samples before " + kNow +
                          " are kept no more, and roll-ups cannot tell what is asked for"));
  Thinned form;
  form.resolution = Resolution::kFiveMinutes;
  Step step = kCold;
  step.resolution = Resolution::kFiveMinutes;
  step.thinned = std::make_shared<const Thinned>(form);
  EXPECT_THAT(warnings(step, none), IsEmpty()) << "what is equal is no approximation";
  EXPECT_THAT(warnings(step, some),
              ElementsAre("expired: windows of 5m before " + kNow + " are kept no more"));
  form.is_approximate = true;
  step.thinned = std::make_shared<const Thinned>(form);
  EXPECT_THAT(warnings(step, some),
              ElementsAre("approximate: samples before " + kNow +
                          " have expired, and windows of 5m are read instead"));
}

}  // namespace
}  // namespace vigia::router::plan
