// Bytes of a segment that are not what was written: who is told, what is kept, for how long it is
// shown.
#include <algorithm>

#include <gmock/gmock.h>

#include "libs/disk_log/damage_notice.hpp"
#include "libs/disk_log/log_state.hpp"
#include "libs/disk_log/record_format.hpp"
#include "libs/disk_log/segment_evidence.hpp"
#include "libs/disk_log/testing/disk_log_fixture.hpp"

namespace vigia::disk_log {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class LogDamageTest : public DiskLogTest {
 protected:
  void SetUp() override {
    DiskLogTest::SetUp();
    settings_.segment_bytes = 4096;
  }
  static std::string noise(std::uint32_t state) {
    std::string body(1500, ' ');
    for (char& c : body) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24U);
    return body;
  }
  void fill(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto written = write(noise(static_cast<std::uint32_t>(i)));
      ASSERT_TRUE(written) << written.error().message;
      records_.push_back(*written);
    }
  }
  void zero(LogPosition from, std::uint64_t end) {
    const std::string path = segment_path("/log", from.segment);
    std::string bytes = files_.content(path);
    for (std::uint64_t at = from.offset; at < end; ++at) bytes[at] = '\0';
    files_.set_content(path, bytes);
  }
  std::vector<std::string> evidence() {
    std::vector<std::string> found;
    for (const std::string& name : files_.names("/log")) {
      if (name.ends_with(".damaged")) found.push_back(name);
    }
    return found;
  }
  void wait_until_passed() {
    eventually([this] {
      const auto names = files_.names("/log");
      return std::none_of(names.begin(), names.end(),
                          [](const std::string& name) { return name.ends_with(".log"); });
    });
  }
  std::string evidence_of(std::uint64_t segment) {
    return segment_path("", segment).substr(1) + ".damaged";
  }

  std::vector<RecordHeader> records_;
};

TEST_F(LogDamageTest, ADamagedPassageIsToldOnceWithItsPlaceAndCost) {
  open();
  fill(6);
  log_.reset();
  const RecordHeader& lost = records_[1];
  zero(lost.position, lost.next.offset);
  open();
  EXPECT_THAT(read(), SizeIs(5));
  log_->cursor("cold").rewind();
  EXPECT_THAT(read(), SizeIs(5));
  ASSERT_THAT(skips_, SizeIs(1));
  EXPECT_EQ(skips_[0].cursor, "cold");
  EXPECT_EQ(skips_[0].path, segment_path("/log", lost.position.segment));
  EXPECT_EQ(skips_[0].begin, lost.position.offset);
  EXPECT_EQ(skips_[0].end, lost.next.offset);
  EXPECT_THAT(skips_[0].why, HasSubstr("1 records at most"));
}

// A kill ends a write where a page of the file does: nobody was told that the record is kept.
TEST_F(LogDamageTest, AWriteThatAKillHasCutIsNoDamageWhereverItStopped) {
  constexpr std::uint64_t kMarker = 0x1122334455667788;
  constexpr std::size_t kPage = 4096;
  const RecordHeader header{.tag = {.owner = "cliente-a", .route = "hot-0", .note = noise(1)},
                            .sequence = 2};
  const StoredBody body = pack_body(noise(2), BodyEncoding::kGzip);
  const std::string record = encode_record_head(header, body, kMarker) + body.bytes;
  // The segment ends with so much of it, and with a page or just behind one.
  const auto damaged = [&](std::size_t cut, std::size_t behind) {
    for (const std::string& name : files_.names("/log")) (void)files_.remove("/log/" + name);
    RecordHeader first{.tag = {.owner = "cliente-a"}, .sequence = 1};
    const std::size_t rest = kSegmentHeaderBytes + kRecordPrefixBytes + 9 + cut - behind;
    const StoredBody filled = pack_body(std::string(2 * kPage - rest, 'f'), BodyEncoding::kGzip);
    files_.set_content(segment_path("/log", 1), encode_segment_header({1, kMarker}) +
                                                    encode_record_head(first, filled, kMarker) +
                                                    filled.bytes + record.substr(0, cut));
    open();
    EXPECT_THAT(read(), ElementsAre(filled.bytes));
    EXPECT_TRUE(write("after"));
    EXPECT_THAT(read(), ElementsAre("after"));
    const DiskLogStats stats = log_->stats();
    log_.reset();
    EXPECT_EQ(stats.is_damage_recent, stats.damaged_records > 0);
    EXPECT_EQ(evidence().size(), stats.damaged_records);
    EXPECT_EQ(skips_.size(), stats.damaged_records);
    skips_.clear();
    return stats.damaged_records;
  };
  for (std::size_t cut = 1; cut < record.size(); cut += cut < 80 ? 1 : 97) {
    ASSERT_EQ(damaged(cut, 0), 0U) << cut << " bytes were written";
    ASSERT_EQ(damaged(cut, 1), 1U) << cut << " bytes are left of what was longer";
  }
}

// What was acknowledged and changed is damage wherever it lies, also where no note of the end is
// left.
TEST_F(LogDamageTest, AChangedLastRecordIsNeverTakenForAWriteThatWasCut) {
  open();
  ASSERT_TRUE(write("whole"));
  const auto last = write("the last");
  ASSERT_TRUE(last);
  log_.reset();
  const std::string path = segments().at(0);
  const std::string whole = files_.content(path);
  const auto expect_damage = [&](const std::string& bytes, std::size_t at, const char* how) {
    for (const std::string& name : files_.names("/log")) (void)files_.remove("/log/" + name);
    files_.set_content(path, bytes);
    open();
    EXPECT_THAT(read(), ElementsAre("whole")) << how << " at " << at;
    EXPECT_EQ(log_->stats().damaged_records, 1U) << how << " at " << at;
    log_.reset();
  };
  for (std::size_t at = last->position.offset; at < whole.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string bad = whole;
      bad[at] = static_cast<char>(bad[at] ^ (1U << bit));
      expect_damage(bad, at, "a flipped bit");
    }
    std::string zeroed = whole;  // as a sector that was never written
    std::fill(zeroed.begin() + static_cast<std::ptrdiff_t>(at), zeroed.end(), '\0');
    if (zeroed != whole) expect_damage(zeroed, at, "zeroes");
  }
}

TEST_F(LogDamageTest, ADamagedBodyIsToldWithWhoseItIs) {
  open();
  fill(3);
  log_.reset();
  zero({records_[1].position.segment, records_[1].next.offset - 9}, records_[1].next.offset);
  open();
  EXPECT_THAT(read(), SizeIs(2));
  log_->cursor("cold").rewind();
  EXPECT_THAT(read(), SizeIs(2));
  ASSERT_THAT(skips_, SizeIs(1));
  EXPECT_EQ(skips_[0].begin, records_[1].position.offset);
  EXPECT_EQ(skips_[0].end, records_[1].next.offset);
  EXPECT_THAT(skips_[0].why, HasSubstr("customer cliente-a with 7 items"));
}

// Whose a record is, its reader knows; where it is nobody's, that is damage found by the reader.
TEST_F(LogDamageTest, WhatAReaderPassesOverIsDamageToldOnceAndTheOthersGoOn) {
  settings_.cursors.push_back({.name = "hot", .required = false});
  open();
  fill(3);
  Cursor& cold = log_->cursor("cold");
  for (int times = 0; times < 2; ++times) {  // read again, as after a fault
    ASSERT_TRUE(cold.next(kNoWait)->has_value());
    const auto second = cold.next(kNoWait);
    ASSERT_TRUE(second && second->has_value());
    cold.pass_over((*second)->header, "it is nobody's");
    cold.rewind();
  }
  ASSERT_THAT(skips_, SizeIs(1));
  EXPECT_EQ(skips_[0].cursor, "cold");
  EXPECT_EQ(skips_[0].path, segment_path("/log", records_[1].position.segment));
  EXPECT_EQ(skips_[0].begin, records_[1].position.offset);
  EXPECT_EQ(skips_[0].end, records_[1].next.offset);
  EXPECT_EQ(skips_[0].why, "it is nobody's");
  EXPECT_THAT(drops(), ElementsAre(Dropped{"cold", "cliente-a", "damaged", 7}));
  EXPECT_EQ(cold.lost(), 1U);
  EXPECT_EQ(log_->cursor("hot").lost(), 0U);
  EXPECT_EQ(log_->stats().damaged_records, 1U);
  EXPECT_TRUE(log_->stats().is_damage_recent);
  EXPECT_THAT(read(), SizeIs(3));
  commit();
  EXPECT_THAT(read("hot"), SizeIs(3));
  commit("hot");
  wait_until_passed();
  EXPECT_THAT(evidence(), ElementsAre(evidence_of(records_[1].position.segment)));
}

TEST_F(LogDamageTest, WhatIsToldHasABound) {
  settings_.segment_bytes = 1U << 20U;
  open();
  fill(2 * LogState::kSkipsToldMax + 3);
  log_.reset();
  for (std::size_t i = 0; i < records_.size(); i += 2)
    zero(records_[i].position, records_[i].position.offset + 8);
  open();
  read();
  ASSERT_THAT(skips_, SizeIs(LogState::kSkipsToldMax));
  EXPECT_THAT(skips_.back().why, HasSubstr("only counted"));
  EXPECT_GT(log_->stats().damaged_records, LogState::kSkipsToldMax);
}

TEST_F(LogDamageTest, ADamagedSegmentIsKeptOnceAllHavePassedIt) {
  open();
  fill(6);
  const std::uint64_t damaged = records_[1].position.segment;
  log_.reset();
  zero(records_[1].position, records_[1].next.offset);
  const std::string as_found = files_.content(segment_path("/log", damaged));
  open();
  read();
  commit();
  wait_until_passed();
  EXPECT_THAT(segments(), Not(Contains(segment_path("/log", damaged))));
  EXPECT_THAT(evidence(), ElementsAre(evidence_of(damaged)));
  EXPECT_EQ(files_.content("/log/" + evidence_of(damaged)), as_found);
  reopen();  // it is no segment of the log
  EXPECT_THAT(read(), IsEmpty());
  EXPECT_THAT(evidence(), ElementsAre(evidence_of(damaged)));
}

TEST_F(LogDamageTest, WithoutSecondNamesTheSegmentIsRenamedWhenItIsPassed) {
  open();
  fill(6);
  log_.reset();
  zero(records_[1].position, records_[1].next.offset);
  files_.fail_when([](std::string_view call, const std::string&) { return call == "link"; });
  open();
  read();
  commit();
  wait_until_passed();
  EXPECT_THAT(evidence(), ElementsAre(evidence_of(records_[1].position.segment)));
}

TEST_F(LogDamageTest, EvidenceIsNeverInTheWayOfTheLog) {
  settings_.bytes_max = 40'000;
  open();
  fill(20);
  log_.reset();
  for (std::size_t i = 0; i < records_.size(); i += 3)
    zero(records_[i].position, records_[i].position.offset + 8);
  open();
  read();
  commit();
  wait_until_passed();
  EXPECT_THAT(evidence(), SizeIs(SegmentEvidence::kFilesMax));
  // As much as without it is taken, and all together stays under the bound.
  std::size_t taken = 0;
  while (write(noise(7))) {
    ++taken;
    ASSERT_LE(files_.used_bytes(), 40'000U + 1000U);  // the file of cursors
  }
  EXPECT_GE(taken, 24U);
}

TEST_F(LogDamageTest, AFullDiskTakesDataBeforeEvidence) {
  open();
  fill(20);
  log_.reset();
  zero(records_[1].position, records_[1].position.offset + 8);
  open();
  read();
  commit();
  wait_until_passed();
  ASSERT_THAT(evidence(), SizeIs(1));
  files_.set_capacity(files_.used_bytes() + 500);
  EXPECT_FALSE(write(noise(7)));
  EXPECT_THAT(evidence(), IsEmpty());
  clock_.advance(settings_.full_retry_interval);
  EXPECT_TRUE(write(noise(7)));
}

TEST_F(LogDamageTest, DamageIsShownForAnHourOfRunningHoweverOftenItStarts) {
  open();
  fill(3);
  EXPECT_FALSE(log_->stats().is_damage_recent);
  log_.reset();
  zero(records_[1].position, records_[1].next.offset);
  open();
  read();
  EXPECT_TRUE(log_->stats().is_damage_recent);
  commit();
  eventually([&] { return segments().empty() || log_->sync_cursors(); });
  log_.reset();
  clock_.advance(std::chrono::hours(5));  // away for longer than it is shown
  open();
  EXPECT_EQ(log_->stats().damaged_records, 0U);
  EXPECT_TRUE(log_->stats().is_damage_recent);
  clock_.advance(DamageNotice::kShown - std::chrono::seconds(1));
  EXPECT_TRUE(log_->stats().is_damage_recent);
  clock_.advance(std::chrono::seconds(1));
  EXPECT_FALSE(log_->stats().is_damage_recent);
  eventually([&] {
    const auto names = files_.names("/log");
    return std::find(names.begin(), names.end(), "damage-found") == names.end();
  });
  reopen();
  EXPECT_FALSE(log_->stats().is_damage_recent);
}

TEST_F(LogDamageTest, TheWallClockDoesNotEndWhatIsShown) {
  DamageNotice notice("/log/damage-found", files_, clock_);
  notice.found();
  notice.keep();
  clock_.set_wall_ns(kStartNs * 2);
  EXPECT_TRUE(notice.is_shown());
  DamageNotice after("/log/damage-found", files_, clock_);
  after.recover();
  EXPECT_TRUE(after.is_shown());
}

}  // namespace
}  // namespace vigia::disk_log
