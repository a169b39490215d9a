// What one request brings: samples by series number. It is the body of a record of the write-ahead
// log. Format: docs/formats/cold-store.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "libs/chunk/histogram_record.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::ingest {

/// A scrape brings one of each series: that one needs no memory of its own.
using FewSamples = boost::container::small_vector<Sample, 1>;

struct SeriesBatch {
  customers::CustomerNumber customer;
  store::SeriesId id;
  bool is_new = false;  ///< given its number by this request; not in the log
  FewSamples samples;
  std::vector<chunk::HistogramSample> histograms;
};

struct IngestBatch {
  std::vector<SeriesBatch> series;

  std::size_t items() const;         ///< samples and histograms
  std::size_t memory_bytes() const;  ///< that it holds, about
  std::string encode() const;
  /// kCorrupt for bytes that encode did not write.
  static Result<IngestBatch> decode(std::string_view bytes);
};

}  // namespace vigia::storage::ingest
