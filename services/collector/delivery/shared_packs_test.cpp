#include "services/collector/delivery/shared_packs.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

namespace vigia::collector::delivery {
namespace {

/// A unit for each letter of a body, at an index that is the record's.
class Letters final : public Packer {
 public:
  explicit Letters(std::atomic<int>& calls) : calls_(calls) {}
  Result<Packed> pack(std::uint32_t index, const OtlpRecord& record, Place from,
                      std::size_t bytes_max, Parcel& parcel) override {
    ++calls_;
    if (record.body == "fault") throw std::logic_error("a fault of ours");
    if (record.body == "bad") return fail(ErrorCode::kCorrupt, "bad");
    for (std::uint32_t i = from.item; i < record.body.size(); ++i) {
      if (parcel.message.size() >= bytes_max) return Packed{Place{i, 0}, i - from.item};
      parcel.units.push_back({.begin = parcel.message.size(), .record = index, .item = i});
      parcel.message += record.body[i];
    }
    return Packed{std::nullopt, static_cast<std::uint32_t>(record.body.size()) - from.item, 0};
  }
  std::string describe(std::string_view unit) const override { return std::string(unit); }

 private:
  std::atomic<int>& calls_;
};

class SharedPacksTest : public testing::Test {
 protected:
  std::unique_ptr<Packer> exporter(bool with_suffixes = true) {
    wire::prometheus::TranslatorSettings settings;
    settings.ratio_suffix = with_suffixes;
    return share_packs(std::make_unique<Letters>(calls_), packs_, packs_.join(settings));
  }
  static OtlpRecord record_of(std::string_view body, std::uint64_t place) {
    OtlpRecord record;
    record.body = body;
    record.key = RecordKey{1, place};
    return record;
  }
  static Parcel packed(Packer& packer, std::string_view body, std::uint64_t place,
                       std::uint32_t index, Parcel into = parcel()) {
    const auto result = packer.pack(index, record_of(body, place), {}, kRoom, into);
    EXPECT_TRUE(result);
    if (result) {
      EXPECT_EQ(result->items, body.size());
    }
    return into;
  }
  static Parcel parcel() { return {.customer = *CustomerId::parse("a")}; }

  static constexpr std::size_t kRoom = 1'000;
  std::atomic<int> calls_{0};
  SharedPacks packs_{600};
};

TEST_F(SharedPacksTest, WhatOneHasMadeTheNextTakes) {
  const auto hot = exporter();
  const auto cold = exporter();
  const Parcel first = packed(*hot, "abc", 7, 3);
  Parcel behind = packed(*cold, "xy", 6, 0);
  behind = packed(*cold, "abc", 7, 1, std::move(behind));
  EXPECT_EQ(first.message, "abc");
  EXPECT_EQ(behind.message, "xyabc");
  ASSERT_EQ(behind.units.size(), 5U);
  EXPECT_EQ(behind.run(3, 5), "bc");
  EXPECT_EQ(behind.units[3].record, 1U);
  EXPECT_EQ(behind.units[3].item, 1U);
  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(packs_.stats().taken, 1U);
}

TEST_F(SharedPacksTest, AnotherTranslationIsAnothers) {
  const auto hot = exporter();
  const auto other = exporter(false);
  packed(*hot, "abc", 7, 0);
  packed(*other, "abc", 7, 0);
  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(packs_.stats().made, 0U) << "nobody would take it";
}

TEST_F(SharedPacksTest, OneThatIsBehindMakesItsOwn) {
  const auto hot = exporter();
  const auto cold = exporter();
  for (std::uint64_t place = 0; place < 100; ++place) {
    packed(*hot, "abc", place, 0);
    EXPECT_LE(packs_.stats().bytes, 600U);
  }
  packed(*cold, "abc", 0, 0);
  EXPECT_EQ(calls_, 101);
  packed(*cold, "abc", 99, 0);
  EXPECT_EQ(calls_, 101);
}

TEST_F(SharedPacksTest, WhatDoesNotFitIsMadeAnew) {
  const auto hot = exporter();
  const auto cold = exporter();
  packed(*hot, "abc", 7, 0);
  Parcel small = parcel();
  const auto some = cold->pack(0, record_of("abc", 7), {}, 2, small);
  ASSERT_TRUE(some);
  EXPECT_EQ(small.message, "ab");
  ASSERT_TRUE(some->next);
  // From there on it is nobody's but its own.
  ASSERT_TRUE(cold->pack(0, record_of("abc", 7), *some->next, kRoom, small));
  EXPECT_EQ(small.message, "abc");
}

TEST_F(SharedPacksTest, WhatFailsIsNotShared) {
  const auto hot = exporter();
  const auto cold = exporter();
  Parcel room = parcel();
  EXPECT_FALSE(hot->pack(0, record_of("bad", 1), {}, kRoom, room));
  EXPECT_FALSE(cold->pack(0, record_of("bad", 1), {}, kRoom, room));
  EXPECT_THROW((void)hot->pack(0, record_of("fault", 2), {}, kRoom, room), std::logic_error);
  EXPECT_THROW((void)cold->pack(0, record_of("fault", 2), {}, kRoom, room), std::logic_error);
  EXPECT_EQ(calls_, 4);
}

TEST_F(SharedPacksTest, BothAtOnceGetTheSame) {
  const auto hot = exporter();
  const auto cold = exporter();
  const auto run = [](Packer& packer, std::string& all) {
    for (std::uint64_t place = 0; place < 5'000; ++place)
      all += packed(packer, std::to_string(place), place, 0).message;
  };
  std::string of_hot;
  std::string of_cold;
  std::thread other([&] { run(*hot, of_hot); });
  run(*cold, of_cold);
  other.join();
  EXPECT_EQ(of_hot, of_cold);
}

}  // namespace
}  // namespace vigia::collector::delivery
