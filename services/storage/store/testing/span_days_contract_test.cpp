// The contract of spans by day, on every store that has it.
#include <gmock/gmock.h>

#include "services/storage/store/span_tags.hpp"
#include "services/storage/store/testing/contract_fixture.hpp"

namespace vigia::storage::store {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

template <typename Store>
class SpanDaysContract : public ContractFixture<Store> {
 protected:
  void SetUp() override {
    if (this->store_.cold().span_days() == nullptr)
      GTEST_SKIP() << "this store finds spans by their traces alone: it says so by a null";
  }
  SpanDays& span_days() { return *this->store_.cold().span_days(); }
  void write(const CustomerId& customer, const std::vector<std::string>& spans) {
    const auto counts = this->events().write(customer, Signal::kTraces,
                                             export_of(customer.text(), spans, {{"n", "1"}}));
    ASSERT_TRUE(counts.has_value());
    ASSERT_EQ(counts->stored, spans.size());
  }
  // The first letters of trace and span.
  std::vector<std::string> read(const CustomerId& customer, std::uint32_t day,
                                std::size_t max = SIZE_MAX) {
    std::vector<std::string> seen;
    const auto note = [&](const EventView& event) {
      const SpanOutline span = outline_of(event.item);
      EXPECT_NE(event.resource.find(customer.text()), std::string_view::npos);
      seen.push_back({span.trace_id.front(), span.span_id.front()});
      return seen.size() < max;
    };
    EXPECT_EQ(span_days().read_day(customer, day, note, this->unlimited_), true);
    return seen;
  }
  static std::string trace(char letter) { return std::string(kTraceIdBytes, letter); }
};
TYPED_TEST_SUITE(SpanDaysContract, Stores);

TYPED_TEST(SpanDaysContract, EachSpanLiesUnderItsDayTraceByTraceAndOfItsCustomerAlone) {
  this->write(this->a_, {span_of(this->trace('y'), '1', kStartNs),
                         span_of(this->trace('x'), '2', kStartNs + 5),
                         span_of(this->trace('y'), '3', kStartNs + kDayNs - 1),
                         span_of(this->trace('x'), '4', kStartNs - 1)});
  this->write(this->b_, {span_of(this->trace('z'), '5', kStartNs)});
  EXPECT_THAT(this->read(this->a_, kDay), ElementsAre("x2", "y1", "y3"));
  EXPECT_THAT(this->read(this->a_, kDay - 1), ElementsAre("x4"));
  EXPECT_THAT(this->read(this->a_, kDay + 1), IsEmpty());
  EXPECT_THAT(this->read(this->b_, kDay), ElementsAre("z5"));
  const auto days = this->span_days().days_with_spans(this->a_);
  ASSERT_TRUE(days.has_value());
  EXPECT_THAT(*days, ElementsAre(kDay - 1, kDay));
  EXPECT_THAT(*this->span_days().days_with_spans(this->b_), Contains(kDay));
}

TYPED_TEST(SpanDaysContract, AReaderThatHasEnoughIsGivenNoMoreAndALimitEndsIt) {
  this->write(this->a_,
              {span_of(this->trace('x'), '1', kStartNs), span_of(this->trace('x'), '2', kStartNs)});
  EXPECT_EQ(this->read(this->a_, kDay, 1).size(), 1U);
  const auto gone = std::make_shared<std::atomic<bool>>(true);
  const ManualClock clock(0);
  const WorkLimit over(clock, std::chrono::hours(1), gone);
  const auto any = [](const EventView&) { return true; };
  EXPECT_EQ(this->span_days().read_day(this->a_, kDay, any, over), false);
}

}  // namespace
}  // namespace vigia::storage::store
