#include "services/storage/ingest/take_over.hpp"

#include <gtest/gtest.h>

#include "services/storage/ingest/testing/copied_ingester.hpp"

namespace vigia::storage::ingest {
namespace {

class TakeOverTest : public CopiedIngesterTest {
 protected:
  void SetUp() override { start(); }
  static std::string body(std::uint64_t series) {
    IngestBatch batch;
    batch.series.push_back({{}, {series}, false, {{kNowMs, 1.5}, {kNowMs + 1000, 2.5}}, {}});
    return batch.encode();
  }
  const CustomerId customer_ = CustomerId::parse("c-7").value();
};

// Whoever shows metrics asks until the program ends.
TEST_F(TakeOverTest, WhatItHasCountedStaysAfterItsEndAndItTakesNoMore) {
  TakeOver taking(rows_, *ingester_, numbers_);
  rows_.give(customer_, {body(1), "no batch", body(2)});
  ASSERT_TRUE(becomes([&] { return taking.stats().samples == 4; }));
  taking.stop();
  rows_.give(customer_, {body(3)});
  EXPECT_EQ(taking.stats().samples, 4U);
  EXPECT_EQ(taking.stats().damaged, 1U);
  taking.stop();
  EXPECT_FALSE(heads_->read({1}).chunk.empty());
  EXPECT_TRUE(heads_->read({3}).chunk.empty());
}

}  // namespace
}  // namespace vigia::storage::ingest
