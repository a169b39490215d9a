#include "services/storage/read/query_reader.hpp"

#include <utility>

namespace vigia::storage::read {

Result<void> QueryReader::prepare(lanes::AnswerMemory& memory) {
  // Windows are asked for series by series: which of a series' days are stored differs.
  if (found_.rollup.has_value() || (batch_ && batch_->left() > 0)) return {};
  return begin_batch(memory);
}

Result<SeriesData> QueryReader::next(lanes::AnswerMemory& memory) {
  ++next_;
  if (!found_.rollup.has_value()) return batch_->next(memory);
  return readers_.rolled.read(series().customer, key_of(series()), *found_.rollup,
                              found_.range_of(series().customer), memory);
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
  auto batch = readers_.raw.batch(customer, std::move(keys), found_.range_of(customer), memory);
  if (!batch) return forward(batch);
  batch_.emplace(std::move(*batch));
  return {};
}

}  // namespace vigia::storage::read
