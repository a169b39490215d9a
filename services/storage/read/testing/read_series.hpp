// A batch of one series, for tests.
#pragma once

#include "services/storage/read/series_reader.hpp"

namespace vigia::storage::read {

inline Result<SeriesData> read_series(const SeriesReader& reader, const CustomerId& customer,
                                      const store::SeriesKey& series, lanes::AnswerMemory& memory) {
  auto batch = reader.batch(customer, {series}, {0, INT64_MAX}, memory);
  if (!batch) return tl::unexpected<Error>(batch.error());
  return batch->next(memory);
}

}  // namespace vigia::storage::read
