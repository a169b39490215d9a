#include "services/storage/ingest/take_over.hpp"

#include <future>
#include <iterator>

#include "libs/base/fault.hpp"
#include "libs/base/fault_owner.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::ingest {

TakeOver::TakeOver(store::OpenRows& rows, Ingester& ingester, customers::CustomerNumbers& numbers)
    : rows_(rows), ingester_(ingester), numbers_(numbers), thread_([this] { run(); }) {}

void TakeOver::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void TakeOver::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, rows_.look_interval(), [this] { return is_stopping_; })) {
    lock.unlock();
    contain_faults("storage: taking over what is open elsewhere", [this] { look(); });
    lock.lock();
  }
}

void TakeOver::look() {
  auto taken =
      rows_.take_over([this](const CustomerId& customer, std::span<const std::string> bodies) {
        return take(customer, bodies);
      });
  // While the cluster is away nothing else is to be said of it here.
  if (taken || taken.error().code == ErrorCode::kUnavailable) return;
  service::log_error("taking over what another instance had open failed, trying again",
                     {{"error", taken.error().message}});
}

// Together they are one record: of requests of a sample each there may be millions.
Result<void> TakeOver::take(const CustomerId& customer, std::span<const std::string> bodies) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return fail(ErrorCode::kUnavailable, "storage is stopping");
  }
  IngestBatch all;
  for (const std::string& body : bodies) {
    auto batch = IngestBatch::decode(body);
    if (!batch) {
      ++damaged_;
      service::log_error("a row of what another instance had open cannot be read and is left out",
                         {{"customer", customer.text()}, {"why", batch.error().message}});
      continue;
    }
    std::move(batch->series.begin(), batch->series.end(), std::back_inserter(all.series));
  }
  if (all.series.empty()) return {};
  const auto number = numbers_.number_of(customer);
  if (!number) return forward(number);
  for (SeriesBatch& series : all.series) series.customer = *number;
  const FaultOwner owner(number->value);
  const std::size_t items = all.items();
  if (auto written = write(std::move(all)); !written) return written;
  samples_ += items;
  return {};
}

// One at a time: clients go before it.
Result<void> TakeOver::write(IngestBatch batch) {
  std::promise<Result<void>> told;
  auto outcome = told.get_future();
  ingester_.write(
      std::move(batch), [told = std::move(told)](Result<heads::AppendCounts> counts) mutable {
        if (!counts) return told.set_value(tl::unexpected<Error>(counts.error()));
        // What was kept out of the heads is in this copy alone: it is given again.
        if (counts->set_aside > 0)
          return told.set_value(fail(ErrorCode::kUnavailable,
                                     "a fault of this program kept some samples out, see its log"));
        told.set_value({});
      });
  try {
    return outcome.get();
  } catch (const std::future_error&) {
    return fail(ErrorCode::kUnavailable, "a fault of this program kept it from being stored");
  }
}

}  // namespace vigia::storage::ingest
