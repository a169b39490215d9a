// Takes over what instances that are gone had open: as if it had been sent here.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/ingest/ingester.hpp"
#include "services/storage/store/open_rows.hpp"

namespace vigia::storage::ingest {

struct TakeOverStats {
  std::uint64_t samples = 0;  ///< acknowledged to whoever is gone, and here now or before
  std::uint64_t damaged = 0;  ///< rows that could not be read, and are left out
};

/// A thread of its own looks again and again. What it finds goes the way of what clients send: by
/// this instance's log, copies and heads, where what is in the store already vanishes. So it may
/// end anywhere, and whoever comes next begins anew. Thread contract: stats from any thread; stop
/// and the destructor from one, before the ingester stops.
class TakeOver {
 public:
  /// All must outlive it.
  TakeOver(store::OpenRows& rows, Ingester& ingester, customers::CustomerNumbers& numbers);
  TakeOver(const TakeOver&) = delete;
  TakeOver& operator=(const TakeOver&) = delete;
  ~TakeOver() { stop(); }

  /// Ends it: once it returns nothing is written any more; stats goes on. Again: nothing.
  void stop();
  TakeOverStats stats() const { return {samples_, damaged_}; }

 private:
  void run();
  void look();
  Result<void> take(const CustomerId& customer, std::span<const std::string> bodies);
  Result<void> write(IngestBatch batch);

  store::OpenRows& rows_;
  Ingester& ingester_;
  customers::CustomerNumbers& numbers_;
  std::atomic<std::uint64_t> samples_{0};
  std::atomic<std::uint64_t> damaged_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace vigia::storage::ingest
