#include "services/storage/read/query_reader.hpp"

#include <utility>

namespace vigia::storage::read {

Result<void> QueryReader::prepare(lanes::AnswerMemory& memory) {
  if (batch_ && batch_->left() > 0) return {};
  return begin_batch(memory);
}

Result<SeriesData> QueryReader::next(lanes::AnswerMemory& memory) {
  ++next_;
  return batch_->next(memory);
}

// One customer's query is one run. An operator's series stand by their labels, whosever they are,
// and a batch is as long as a run of one customer's.
Result<void> QueryReader::begin_batch(lanes::AnswerMemory& memory) {
  batch_.reset();
  const CustomerId& customer = found_.series[next_].customer;
  std::vector<store::SeriesKey> keys;
  for (std::size_t i = next_; i < found_.series.size(); ++i) {
    const SelectedSeries& one = found_.series[i];
    if (keys.size() == BatchRead::kSeriesMax || one.customer != customer) break;
    keys.push_back(key_of(one));
  }
  auto batch = reader_.batch(
      customer, std::move(keys),
      {found_.query.start_ms, found_.query.end_ms, Resolution::kRaw, found_.kept_from_ms}, memory);
  if (!batch) return forward(batch);
  batch_.emplace(std::move(*batch));
  return {};
}

}  // namespace vigia::storage::read
