#include "services/storage/read/query_reader.hpp"

#include <utility>

namespace vigia::storage::read {

Result<void> QueryReader::prepare(lanes::AnswerMemory& memory) {
  if (is_ahead()) return {};
  const bool is_rolled = found_.rollup.has_value();
  const bool is_begun =
      is_rolled ? run_ != nullptr && run_->left() > 0 : batch_ && batch_->left() > 0;
  if (is_begun) return {};
  batch_.reset();
  run_.reset();
  const ReadRange& range = found_.range_of(found_.series[next_].customer);
  auto looked = readers_.look().prepare(found_.series, next_, range.from_ms, range.to_ms);
  if (!looked) return looked;
  return is_rolled ? begin_run(memory) : begin_batch(memory);
}

Result<SeriesData> QueryReader::next(lanes::AnswerMemory& memory) {
  if (is_ahead()) return found_.ahead->take(next_++);
  ++next_;
  return found_.rollup.has_value() ? run_->next(memory) : batch_->next(memory);
}

// One customer's query is one run. An operator's series stand by their labels, whosever they are,
// and a batch is as long as a run of one customer's. What others have open of them has been asked.
std::vector<store::SeriesKey> QueryReader::next_keys(std::size_t max) const {
  std::vector<store::SeriesKey> keys;
  for (std::size_t i = next_; i < found_.series.size() && keys.size() < max; ++i) {
    if (!readers_.look().knows(found_.series[next_].customer, found_.series[i].id)) break;
    if (found_.series[i].customer != found_.series[next_].customer) break;
    keys.push_back(key_of(found_.series[i]));
  }
  return keys;
}

Result<void> QueryReader::begin_batch(lanes::AnswerMemory& memory) {
  const CustomerId& customer = found_.series[next_].customer;
  auto batch = readers_.raw().batch(customer, next_keys(BatchRead::kSeriesMax),
                                    found_.range_of(customer), memory);
  if (!batch) return forward(batch);
  batch_.emplace(std::move(*batch));
  return {};
}

Result<void> QueryReader::begin_run(lanes::AnswerMemory& memory) {
  const CustomerId& customer = found_.series[next_].customer;
  auto run = readers_.rolled().run(customer, next_keys(RolledRun::kSeriesMax), *found_.rollup,
                                   found_.range_of(customer), memory);
  if (!run) return forward(run);
  run_ = std::move(*run);
  return {};
}

}  // namespace vigia::storage::read
