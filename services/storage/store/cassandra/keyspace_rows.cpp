#include "services/storage/store/cassandra/keyspace_rows.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "libs/chunk/chunk_reader.hpp"
#include "services/storage/store/histogram_encoding.hpp"
#include "services/storage/store/row_merge.hpp"

namespace vigia::storage::store::cassandra {
namespace {

bool is_named(const CustomerTable& table, std::string_view column) {
  return std::find(table.columns.begin(), table.columns.end(), column) != table.columns.end();
}

}  // namespace

Result<instance::RawRow> raw_row_of(customers::CustomerNumber customer, const BlockedChunk& chunk) {
  instance::RawRow row{customer, chunk.series, chunk.version, {}, {}};
  if (holds_histograms(chunk.encoding)) {
    auto histograms = histograms_of({chunk.series, chunk.first_ms, chunk.last_ms, chunk.version,
                                     chunk.encoding, std::string(chunk.data)});
    if (!histograms) return forward(histograms);
    row.histograms = *std::move(histograms);
    return row;
  }
  if (chunk.encoding != Encoding::kFloats) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("its encoding {} is not known", static_cast<unsigned>(chunk.encoding)));
  }
  auto samples = chunk::read_samples(chunk.data);
  if (!samples) return forward(samples);
  row.samples = *std::move(samples);
  return row;
}

TableSums::TableSums(const CustomerTable& table, instance::FolderSums& sums)
    : table_(table), sums_(sums) {
  for (const std::string& column : table.columns) {
    if (column != "customer_id") others_.push_back(column);
  }
  has_times_ = is_named(table, "first_ms") && is_named(table, "last_ms");
}

std::string TableSums::select(const std::string& keyspace) const {
  return fmt::format("SELECT customer_id, {} FROM {}.{}", fmt::join(others_, ", "), keyspace,
                     table_.name);
}

// Of rows without both times no day is told: what their columns count differs by table.
void TableSums::add(vigia::cassandra::RowReader row, const NumberOf& number_of) {
  const std::string_view customer = row.read_text();
  instance::RowSum& sum = sums_.customers[number_of(customer)][table_.name];
  ++sum.rows;
  sum.bytes += customer.size();
  for (const std::string& column : others_) {
    if (row.take_null()) continue;
    if (has_times_ && (column == "first_ms" || column == "last_ms")) {
      const std::uint32_t day = day_of(row.read_bigint());
      sum.days = joined(sum.days, {day, day});
      sum.bytes += sizeof(TimestampMs);
    } else {
      sum.bytes += row.read_blob().size();
    }
  }
}

}  // namespace vigia::storage::store::cassandra
