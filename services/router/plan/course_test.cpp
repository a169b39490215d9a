#include "services/router/plan/course.hpp"

#include <array>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "services/router/plan/limits.hpp"
#include "services/router/testing/plan_text.hpp"
#include "services/router/testing/questions.hpp"

namespace vigia::router::plan {
namespace {

using access::Weight;
using promql::Dialect;
using testing::kNowMs;

constexpr std::array kReplies{Reply::kWhole,   Reply::kShort,     Reply::kMaybeShort,
                              Reply::kRefused, Reply::kBrokenOff, Reply::kAway,
                              Reply::kFaulty,  Reply::kLost,      Reply::kFailed};
const coverage::Covered kAll{0, 0};
const coverage::Covered kLess{kNowMs, 0};
const coverage::Covered kNothing{std::nullopt, 0};

Step hot(Standing standing, std::size_t member = 0) {
  return {Store::kHot, standing, Resolution::kRaw, member};
}
const Step kLongTermStep{Store::kLongTerm, Standing::kLongTerm};

Course course_of(std::vector<Step> steps, const std::string& query = "up",
                 Weight weight = Weight::kLight) {
  Knowledge known;
  known.hot = {{0, kAll}, {1, kAll}};
  known.weight = weight;
  return {testing::instant(query), QueryPlan{std::move(steps), std::nullopt}, known};
}

/// The four plans that begin at hot or at the long-term store, by how they begin.
Course whole() {
  return course_of({hot(Standing::kHolds), kLongTermStep, hot(Standing::kInstead)});
}
Course alone() { return course_of({hot(Standing::kAlone)}); }
Course more() { return course_of({hot(Standing::kHoldsMore), kLongTermStep}); }
Course past() { return course_of({kLongTermStep, hot(Standing::kInstead)}); }
Course cold_only() { return course_of({kLongTermStep}); }
/// Of a pair, both of which hold all.
Course pair(Weight weight = Weight::kLight) {
  return course_of({hot(Standing::kHolds), hot(Standing::kHolds, 1), kLongTermStep,
                    hot(Standing::kInstead), hot(Standing::kInstead, 1)},
                   "up", weight);
}
Course pair_alone() {
  return course_of({hot(Standing::kHolds), hot(Standing::kHolds, 1), hot(Standing::kAlone),
                    hot(Standing::kLesser, 1)});
}
Course instead() {
  Course course = past();
  EXPECT_EQ(course.take(Reply::kAway, {}), Verdict::kNext);
  return course;
}

/// "next: long-term", or the verdict alone where the course stays.
std::string taken(Course course, Reply reply, const coverage::Covered& now) {
  const Verdict verdict = course.take(reply, now);
  const std::string text = testing::text_of(verdict);
  return verdict == Verdict::kNext ? text + ": " + testing::text_of(course.step()) : text;
}

TEST(Course, EachAnswerOfEachStoreHasItsMeaning) {
  const std::string next = "next: long-term";
  const std::string other = "next: hot:holds#1";
  struct Case {
    const char* stands;
    std::function<Course()> course;
    std::array<std::string, kReplies.size()> if_hot_covers;  // in the order of kReplies
    std::array<std::string, kReplies.size()> if_it_does_not;
  };
  const std::array<std::string, kReplies.size()> last{"done", "done", "done", "refuse", "refuse",
                                                      "fail", "fail", "fail", "fail"};
  const std::array<std::string, kReplies.size()> back{"done",
                                                      "next: hot:instead",
                                                      "look again",
                                                      "refuse",
                                                      "next: hot:instead",
                                                      "next: hot:instead",
                                                      "next: hot:instead",
                                                      "fail",
                                                      "fail"};
  const std::array<std::string, kReplies.size()> cold{
      "done", "fail", "look again", "refuse", "fail", "fail", "fail", "fail", "fail"};
  for (const Case& each : std::initializer_list<Case>{
           {"hot:holds",
            whole,
            {"done", "done", "done", "refuse", "refuse", next, next, "fail", "fail"},
            {next, next, next, "refuse", "refuse", next, next, "fail", "fail"}},
           {"hot:alone", alone, last, last},
           {"hot:holds, of a pair",
            [] { return pair(); },
            {"done", "done", "done", "refuse", "refuse", other, other, other, "fail"},
            {other, other, other, "refuse", "refuse", other, other, other, "fail"}},
           {"hot:holds, of a pair alone",
            pair_alone,
            {"done", "done", "done", "refuse", "refuse", other, other, other, "fail"},
            {other, other, other, "refuse", "refuse", other, other, other, "fail"}},
           {"hot:more",
            more,
            {"done", "done", "done", "refuse", "refuse", next, next, "fail", "fail"},
            {"done", "done", "done", "refuse", "refuse", next, next, "fail", "fail"}},
           {"hot:instead", instead, last, last},
           {"long-term, hot behind", past, back, back},
           {"long-term alone", cold_only, cold, cold}}) {
    for (std::size_t i = 0; i < kReplies.size(); ++i) {
      EXPECT_EQ(taken(each.course(), kReplies[i], kAll), each.if_hot_covers[i])
          << each.stands << ", reply " << i;
      EXPECT_EQ(taken(each.course(), kReplies[i], kLess), each.if_it_does_not[i])
          << each.stands << " that covers less, reply " << i;
      EXPECT_EQ(taken(each.course(), kReplies[i], kNothing), each.if_it_does_not[i])
          << each.stands << " that covers nothing, reply " << i;
    }
  }
}

TEST(Course, TheSecondLookSaysOnlyWhetherTheFirstAnswerIsWhole) {
  const std::array<std::string, kReplies.size()> with_hot{"done", "next", "done", "next", "next",
                                                          "next", "next", "fail", "next"};
  for (std::size_t i = 0; i < kReplies.size(); ++i) {
    EXPECT_EQ(testing::text_of(past().take_second_look(kReplies[i])), with_hot[i]) << i;
    const std::string alone = with_hot[i] == "next" ? "fail" : with_hot[i];
    EXPECT_EQ(testing::text_of(cold_only().take_second_look(kReplies[i])), alone) << i;
  }
}

/// A query whose roll-ups stand before its samples, and what is known of the two.
Course thinned(Weight weight = Weight::kLight, Weight of_samples = Weight::kUnknown) {
  Thinned form;
  form.resolution = Resolution::kHour;
  form.text = "down";
  const Question down = testing::instant("down");
  form.expr = down.expr;
  form.ranges = {{1, 2}};
  Knowledge known;
  known.weight = of_samples;
  known.thinned_weight = weight;
  known.thinned = std::make_shared<const Thinned>(std::move(form));
  known.has_long_term = true;
  known.hot = {{0, {}}};
  Question question = testing::instant("up");
  QueryPlan plan = *make_plan(question, known);
  return {std::move(question), std::move(plan), known};
}

std::string query_of(const Course& course) {
  for (const auto& [name, value] : course.form()) {
    if (name == "query") return value;
  }
  return "";
}

TEST(Course, RollUpsThatStorageRefusesAreReadAsSamples) {
  const std::array<std::string, kReplies.size()> refused{"done",
                                                         "next: long-term",
                                                         "look again",
                                                         "next: long-term",
                                                         "next: long-term",
                                                         "next: hot:instead",
                                                         "next: hot:instead",
                                                         "fail",
                                                         "fail"};
  const std::array<std::string, kReplies.size()> silent{"done",
                                                        "next: hot:instead",
                                                        "look again",
                                                        "next: long-term",
                                                        "next: hot:instead",
                                                        "next: hot:instead",
                                                        "next: hot:instead",
                                                        "fail",
                                                        "fail"};
  for (std::size_t i = 0; i < kReplies.size(); ++i) {
    EXPECT_EQ(taken(thinned(), kReplies[i], kNothing), silent[i]) << i;
    Course course = thinned();
    course.note_refusal(Error{ErrorCode::kInvalid, "there are no roll-ups of it"});
    EXPECT_EQ(taken(course, kReplies[i], kNothing), refused[i]) << i;
  }
}

TEST(Course, SoTheyAreWhereASecondLookFindsThat) {
  Course course = thinned();
  course.note_refusal(Error{ErrorCode::kInvalid, "there are no roll-ups of it"});
  EXPECT_EQ(course.take_second_look(Reply::kShort), Verdict::kNext);
  EXPECT_EQ(testing::text_of(course.step()), "long-term");
  EXPECT_FALSE(course.refusal().has_value()) << "of the form alone that the caller did not choose";
  EXPECT_EQ(course.take_second_look(Reply::kShort), Verdict::kNext);
  EXPECT_EQ(testing::text_of(course.step()), "hot:instead");
}

TEST(Course, WhatIsAskedAndKnownIsOfTheStepsForm) {
  Course course = thinned();
  EXPECT_EQ(query_of(course), "down");
  EXPECT_EQ(course.likeness().text, "down");
  EXPECT_EQ(course.ranges(), (std::vector<promql::TimeRange>{{1, 2}}));
  EXPECT_NE(course.expr(), course.question().expr);
  EXPECT_EQ(course.position().weight, Weight::kLight);
  EXPECT_EQ(course.take(Reply::kRefused, {}), Verdict::kNext);
  EXPECT_EQ(query_of(course), R"(up{customer_id="acme"})");
  EXPECT_EQ(course.likeness().text, query_of(course));
  EXPECT_EQ(course.ranges(), course.question().ranges);
  EXPECT_EQ(course.expr(), course.question().expr);
  EXPECT_EQ(course.position().weight, Weight::kUnknown);
}

// It may read three parts of what samples are read of once.
TEST(Course, RollUpsWhoseResultsHaveNoRoomAreReadAsSamples) {
  Course course = thinned(Weight::kHeavy, Weight::kLight);
  EXPECT_FALSE(course.heed_room(fail(ErrorCode::kOverLimit, "late"), Dialect::kPrometheus3));
  EXPECT_EQ(testing::text_of(course.step()), "long-term@1h");
  EXPECT_FALSE(course.heed_room(fail(ErrorCode::kInvalid, "no room"), Dialect::kPrometheus3));
  EXPECT_EQ(testing::text_of(course.step()), "long-term");
  EXPECT_EQ(course.position().weight, Weight::kLight);
  EXPECT_FALSE(course.heed_room(fail(ErrorCode::kInvalid, "no room"), Dialect::kPrometheus3));
  EXPECT_EQ(testing::text_of(course.step()), "long-term") << "the caller's own fault";
}

TEST(Course, AStoreThatHasFailedIsNotAskedAgain) {
  Course course = whole();
  EXPECT_EQ(course.take(Reply::kFaulty, kAll), Verdict::kNext);
  EXPECT_EQ(course.take(Reply::kAway, {}), Verdict::kFail);
}

TEST(Course, OneThatWasLeftForLessIsBetterThanNothing) {
  Course course = whole();
  ASSERT_EQ(course.take(Reply::kWhole, kLess), Verdict::kNext);
  ASSERT_EQ(course.take(Reply::kShort, {}), Verdict::kNext);
  EXPECT_EQ(course.step(), hot(Standing::kInstead));
  EXPECT_EQ(course.take(Reply::kWhole, kLess), Verdict::kDone);
  EXPECT_EQ(course.covered(), kLess) << "as the answer has to say";
}

// It may have come back empty and be whole again since this was evaluated.
TEST(Course, WhatWasAnsweredAroundASuspicionCountsAsUnknown) {
  const coverage::Covered again{0, 1};
  EXPECT_EQ(taken(whole(), Reply::kWhole, again), "next: long-term");
  Course last = alone();
  EXPECT_EQ(last.take(Reply::kWhole, again), Verdict::kDone);
  EXPECT_FALSE(last.covered().from.has_value());
}

TEST(Course, InItsTurnAQueryLeavesHotThatCoversLess) {
  for (const coverage::Covered& now : {kLess, kNothing}) {
    Course course = whole();
    const auto asked_at = course.position();
    EXPECT_FALSE(course.heed_coverage(now).has_value());
    EXPECT_NE(course.position(), asked_at);
    EXPECT_EQ(testing::text_of(course.step()), "long-term");
  }
  for (const auto& make : {alone, more, instead}) {
    Course course = make();
    const auto asked_at = course.position();
    EXPECT_TRUE(course.heed_coverage(kLess).has_value());
    EXPECT_EQ(course.position(), asked_at);
  }
  Course course = whole();
  EXPECT_TRUE(course.heed_coverage(kAll).has_value());
}

TEST(Course, WhatTouchesNothingNeitherMovesNorLooksAgain) {
  const std::vector<Step> steps{hot(Standing::kHolds), kLongTermStep, hot(Standing::kInstead)};
  EXPECT_EQ(course_of(steps, "1 + 1").take(Reply::kWhole, kNothing), Verdict::kDone);
  Course course = course_of(steps, "1 + 1");
  ASSERT_EQ(course.take(Reply::kAway, {}), Verdict::kNext);
  EXPECT_EQ(course.take(Reply::kMaybeShort, {}), Verdict::kDone);
}

/// Room of a query of some steps at hot, or, where `is_at_hot` is false, at the long-term store.
struct RoomCase {
  const char* what;
  bool is_at_hot;
  Dialect dialect;
  std::int64_t steps;
  Weight weight;
  Result<std::uint64_t> bytes;
  bool goes_on;
  std::string stands;
  Weight becomes;
};

TEST(Course, ResultsWithoutRoomMoveTheQueryOrRefuseIt) {
  constexpr auto kOld = Dialect::kPrometheus2;
  constexpr auto kNew = Dialect::kPrometheus3;
  constexpr std::uint64_t kMuch = kLightResultBytesMax + 1;
  const auto few = static_cast<std::int64_t>(kStepsAtOldHotMax);
  const Result<std::uint64_t> none = fail(ErrorCode::kInvalid, "no room");
  const Result<std::uint64_t> late = fail(ErrorCode::kOverLimit, "counted too long");
  const std::string hot_stays = "hot:holds";
  for (const RoomCase& each :
       std::initializer_list<RoomCase>{{"light", true, kOld, few + 1, Weight::kLight,
                                        kLightResultBytesMax, true, hot_stays, Weight::kLight},
                                       {"much, known to be heavy", true, kOld, few + 1,
                                        Weight::kHeavy, kMuch, true, hot_stays, Weight::kHeavy},
                                       {"much, unknown", true, kOld, few + 1, Weight::kUnknown,
                                        kMuch, true, hot_stays, Weight::kUnknown},
                                       {"much, at a new hot", true, kNew, few + 1, Weight::kLight,
                                        kMuch, false, hot_stays, Weight::kHeavy},
                                       {"much, few steps", true, kOld, few, Weight::kLight, kMuch,
                                        false, hot_stays, Weight::kHeavy},
                                       {"much, an old hot", true, kOld, few + 1, Weight::kLight,
                                        kMuch, false, "long-term", Weight::kHeavy},
                                       {"none, an old hot", true, kOld, few, Weight::kLight, none,
                                        false, "long-term", Weight::kLight},
                                       {"none, a new hot", true, kNew, few, Weight::kLight, none,
                                        false, hot_stays, Weight::kLight},
                                       {"late, an old hot", true, kOld, few, Weight::kLight, late,
                                        false, hot_stays, Weight::kLight},
                                       {"much, elsewhere", false, kOld, few + 1, Weight::kLight,
                                        kMuch, false, "long-term", Weight::kHeavy},
                                       {"none, elsewhere", false, kOld, few + 1, Weight::kLight,
                                        none, false, "long-term", Weight::kLight}}) {
    Knowledge known;
    known.weight = each.weight;
    std::vector<Step> steps{kLongTermStep, hot(Standing::kInstead)};
    if (each.is_at_hot) steps.insert(steps.begin(), hot(Standing::kHolds));
    Course course(testing::range_of("up", each.steps), {std::move(steps), std::nullopt}, known);
    EXPECT_EQ(course.heed_room(each.bytes, each.dialect).has_value(), each.goes_on) << each.what;
    EXPECT_EQ(testing::text_of(course.step()), each.stands) << each.what;
    EXPECT_EQ(course.position().weight, each.becomes) << each.what;
  }
}

TEST(Course, TheLastResortIsNotLeftForRoom) {
  Course course = instead();
  const auto refused =
      course.heed_room(fail(ErrorCode::kInvalid, "no room"), Dialect::kPrometheus2);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message, "no room");
  EXPECT_EQ(testing::text_of(course.step()), "hot:instead");
}

TEST(Course, OnlyHotsResultsAreMadeAsItsVersionDoes) {
  EXPECT_EQ(whole().shape(Dialect::kPrometheus2).dialect, Dialect::kPrometheus2);
  EXPECT_EQ(past().shape(Dialect::kPrometheus2).dialect, Dialect::kPrometheus3);
}

/// Every way through every plan: what comes at each step is any reply, with hot covering all or
/// not.
TEST(Course, EveryWayEndsAndNoStoreIsAskedAfterItHasFailed) {
  std::size_t ways = 0;
  using Asked = std::pair<Store, std::size_t>;
  std::function<void(const Course&, const std::set<Asked>&, std::size_t)> walk =
      [&](const Course& course, const std::set<Asked>& failed, std::size_t asks) {
        const Asked asked{course.step().store, course.step().member};
        ASSERT_LE(asks, 5U);
        ASSERT_EQ(failed.count(asked), 0U);
        for (const Reply reply : kReplies) {
          for (const coverage::Covered& now : {kAll, kLess}) {
            Course next = course;
            Verdict verdict = next.take(reply, now);
            if (verdict == Verdict::kLookAgain) verdict = next.take_second_look(Reply::kShort);
            if (verdict != Verdict::kNext) {
              ++ways;
              continue;
            }
            std::set<Asked> known_failed = failed;
            // Hot is left for less, too; the long-term store only where it has failed.
            const bool was_left =
                asked.first == Store::kHot &&
                (reply == Reply::kWhole || reply == Reply::kShort || reply == Reply::kMaybeShort);
            if (!was_left) known_failed.insert(asked);
            walk(next, known_failed, asks + 1);
          }
        }
      };
  for (const auto& make : {whole, alone, more, past, cold_only, pair_alone}) walk(make(), {}, 1);
  walk(pair(), {}, 1);
  EXPECT_GT(ways, 100U);
}

TEST(Course, WhatAMemberMayNotHaveSurvivedIsAskedOfNobody) {
  EXPECT_EQ(taken(pair(Weight::kUnknown), Reply::kLost, kAll), "fail");
  EXPECT_EQ(taken(pair(Weight::kHeavy), Reply::kLost, kAll), "fail");
  Course twice = pair();
  EXPECT_EQ(twice.take(Reply::kLost, kAll), Verdict::kNext);
  EXPECT_EQ(twice.take(Reply::kLost, kAll), Verdict::kFail) << "the second one is no chance";
  // Nobody but the other member, which is known to hold it.
  EXPECT_EQ(taken(whole(), Reply::kLost, kAll), "fail");
  EXPECT_EQ(
      taken(course_of({hot(Standing::kAlone), hot(Standing::kLesser, 1)}), Reply::kLost, kAll),
      "fail");
}

TEST(Course, AMemberThatCoversLessIsLeftForTheOther) {
  Course course = pair();
  EXPECT_FALSE(course.heed_coverage(kLess).has_value());
  EXPECT_EQ(testing::text_of(course.step()), "hot:holds#1");
  EXPECT_FALSE(course.heed_coverage(kLess).has_value());
  EXPECT_EQ(testing::text_of(course.step()), "long-term");
  EXPECT_EQ(course.take(Reply::kAway, {}), Verdict::kNext);
  EXPECT_EQ(testing::text_of(course.step()), "hot:instead") << "it has not failed, and holds some";
}

// Another member of the same version would find no more room.
TEST(Course, ForRoomAPairIsLeftForTheLongTermStore) {
  Course course = pair();
  EXPECT_FALSE(course.heed_room(fail(ErrorCode::kInvalid, "none"), Dialect::kPrometheus2));
  EXPECT_EQ(testing::text_of(course.step()), "long-term");
  Course alone = pair_alone();
  EXPECT_FALSE(alone.heed_room(fail(ErrorCode::kInvalid, "none"), Dialect::kPrometheus2));
  EXPECT_EQ(testing::text_of(alone.step()), "hot:holds") << "there is nobody else";
}

TEST(Course, OnlyAStoreThatIsGoneMayComeBackEmpty) {
  for (const Reply reply : kReplies) {
    EXPECT_EQ(makes_suspect(reply), reply == Reply::kAway || reply == Reply::kLost);
  }
}

}  // namespace
}  // namespace vigia::router::plan
