#include "services/storage/store/chunks.hpp"

#include <future>
#include <iterator>

#include <fmt/format.h>

namespace vigia::storage::store {
namespace {

constexpr std::size_t kReadBytesMax = 128U << 20U;

}  // namespace

Result<void> check_row(const ChunkRow& row, Resolution resolution) {
  if (row.first_ms <= row.last_ms && row.last_ms - row.first_ms <= row_span_max_ms(resolution)) {
    return {};
  }
  return fail(ErrorCode::kInvalid,
              fmt::format("a row of series {} from {} to {} is none of resolution {}",
                          row.series.value, row.first_ms, row.last_ms, to_string(resolution)));
}

tl::unexpected<Error> no_such_resolution(Resolution resolution) {
  return fail(ErrorCode::kInvalid,
              fmt::format("this store keeps no data of resolution {}", to_string(resolution)));
}

Result<void> put_now(ChunkStore& chunks, const CustomerId& customer,
                     std::span<const ClosedChunk> closed) {
  // Shared with the thread that answers, which may still be in set_value when get returns.
  auto answer = std::make_shared<std::promise<Result<void>>>();
  std::future<Result<void>> done = answer->get_future();
  chunks.put(customer, closed, [answer](Result<void> put) { answer->set_value(std::move(put)); });
  return done.get();
}

Result<std::vector<ChunkRow>> read_rows(ChunkStore& chunks, const CustomerId& customer,
                                        const SeriesKey& series, const ChunkQuery& query) {
  std::vector<ChunkRow> rows;
  std::size_t bytes = 0;
  const auto cursor = chunks.read(customer, {&series, 1}, query);
  for (;;) {
    auto page = cursor->next();
    if (!page || page->empty()) return page ? Result<std::vector<ChunkRow>>(std::move(rows)) : page;
    for (const ChunkRow& row : *page) bytes += sizeof(row) + row.data.size();
    if (bytes > kReadBytesMax) {
      return fail(ErrorCode::kOverLimit,
                  "a series holds more than 128 MiB in this range; ask for less time");
    }
    if (rows.empty()) {
      rows = std::move(*page);
    } else {
      std::move(page->begin(), page->end(), std::back_inserter(rows));
    }
  }
}

}  // namespace vigia::storage::store
