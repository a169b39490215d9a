// POST /api/v1/write: Prometheus remote write 1.0.
#pragma once

#include <optional>

#include "libs/net/server.hpp"
#include "services/storage/api/write_books.hpp"
#include "services/storage/index/series_index.hpp"
#include "services/storage/ingest/ingester.hpp"

namespace vigia::storage {

/// Contract: 204 where all samples are in the write-ahead log, or were there already; 400 where
/// some were refused or conflict with stored ones, the rest stored; 415 for another content type or
/// version; 503 for a passing fault. Always with X-Prometheus-Remote-Write-Samples-Written,
/// -Histograms-Written and -Exemplars-Written (exemplars are not kept: 0). Repeats count as
/// written. Thread contract: any thread that may block.
class WriteApi {
 public:
  /// All must outlive it.
  WriteApi(SeriesIndex& index, Ingester& ingester, WriteBooks& books)
      : index_(index), ingester_(ingester), books_(books) {}
  /// 415 for another content type or encoding, before a byte of the body is read.
  static std::optional<net::Response> admit(const net::Headers& headers);
  void handle(net::Request request, net::Responder responder);

 private:
  SeriesIndex& index_;
  Ingester& ingester_;
  WriteBooks& books_;
};

}  // namespace vigia::storage
