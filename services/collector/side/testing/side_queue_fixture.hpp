// A side queue on a file system in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "libs/disk_log/testing/memory_files.hpp"
#include "services/collector/side/side_queue.hpp"

namespace vigia::collector::side {

inline constexpr std::int64_t kNowNs = 1'700'000'000'000'000'000;

inline SideEntry units_of(
    std::string_view customer, std::string_view letters,
    delivery::Parcel::SearchStage stage = delivery::Parcel::SearchStage::kFresh) {
  const CustomerId id = *CustomerId::parse(customer);
  SideEntry entry{{.customer = id, .stage = stage, .received_ms = 5, .items = letters.size()},
                  {.customer = id},
                  {}};
  for (const char letter : letters) {
    entry.parcel.units.push_back({.begin = entry.parcel.message.size(),
                                  .item = static_cast<std::uint32_t>(letter),
                                  .timestamp_ms = -letter});
    entry.parcel.message += letter;
  }
  return entry;
}

inline SideEntry records_of(std::string_view customer, std::string body,
                            disk_log::BodyEncoding encoding = disk_log::BodyEncoding::kPlain) {
  const CustomerId id = *CustomerId::parse(customer);
  SideEntry entry{{.customer = id, .signal = Signal::kLogs, .received_ms = 7, .items = 3},
                  {.customer = id},
                  {}};
  entry.records.push_back({.items = 4, .rejected = 1, .verdicts = "verdicts", .from = {2, 1}});
  entry.records.back().pack({encoding, std::move(body)});
  return entry;
}

class SideQueueTest : public testing::Test {
 protected:
  SideQueueTest() {
    settings_.directory = "/side";
    reopen();
  }
  void reopen() {
    queue_.reset();
    found_ = 0;
    auto opened = SideQueue::open(
        settings_, clock_, [this](const SideHead& head) { found_ += head.items; },
        [this](const SideHead& head) {
          evicted_ += head.items;
          on_evicted_();
        },
        files_);
    ASSERT_TRUE(opened) << opened.error().message;
    queue_ = *std::move(opened);
  }
  std::vector<std::vector<SideItem>> pick(std::size_t customers = 8) {
    return queue_->pick(customers, 1U << 20U, [](const CustomerId&) { return true; });
  }
  /// The messages of what is picked, a customer's together.
  std::vector<std::string> picked() {
    std::vector<std::string> texts;
    for (const auto& items : pick()) {
      texts.emplace_back();
      for (const SideItem& item : items) texts.back() += queue_->load(item)->parcel.message;
    }
    return texts;
  }

  std::optional<SideHold> held(std::string_view customer) const {
    return shares_.find("otlphttp/cold", *CustomerId::parse(customer));
  }

  SideShares shares_;
  SideQueueSettings settings_;
  ManualClock clock_{kNowNs};
  disk_log::MemoryFiles files_;
  std::uint64_t found_ = 0;
  std::uint64_t evicted_ = 0;
  std::function<void()> on_evicted_ = [] {};
  std::unique_ptr<SideQueue> queue_;
};

}  // namespace vigia::collector::side
