// POST /api/v1/write: Prometheus remote write 1.0 and 2.0.
#pragma once

#include <functional>
#include <optional>

#include "libs/net/server.hpp"
#include "services/storage/api/write_batch.hpp"
#include "services/storage/api/write_books.hpp"
#include "services/storage/ingest/exemplar_keeper.hpp"
#include "services/storage/ingest/ingester.hpp"
#include "services/storage/ingest/metadata_keeper.hpp"
#include "services/storage/store/catalog.hpp"

namespace vigia::storage::api {

struct RefusedSamples {
  std::uint64_t samples = 0;
  std::string first_problem;
  std::string first_conflict = {};  ///< its series and time; "": not told
};

/// What a write is answered of which this became.
net::Response write_answer(const heads::AppendCounts& counts, const RefusedSamples& refused,
                           std::uint64_t exemplars_written);

/// What became of the samples of a write.
struct Written {
  heads::AppendCounts counts;
  RefusedSamples refused;
};

/// What of a write is kept behind its samples.
struct BesideSamples {
  std::vector<ingest::OwnedExemplars> exemplars;
  std::vector<ingest::OwnedMetadata> metadata;
  bool is_metadata_all = false;  ///< the request has nothing else
};

/// What it works with; all must outlive it.
struct WriteParts {
  store::Catalog& catalog;
  ingest::ExemplarKeeper* exemplars;  ///< null: none are kept
  ingest::MetadataKeeper* metadata;   ///< null: none is kept
  customers::CustomerNumbers& numbers;
  ingest::Ingester& ingester;
  WriteBooks& books;
  /// Runs a further part of a write of the customer's where it may block, in his turn. False, and
  /// it is not run, where the program ends.
  std::function<bool(const CustomerId&, Task<void()>)> go_on;
};

/// Contract: 204 where all samples are in the write-ahead log, or were there already; 400 where
/// some were refused or conflict with stored ones, the rest stored; 415 for another content type or
/// message; 503 for a passing fault, 500 where a fault of this program kept some out: repeating is
/// right for both. Always with X-Prometheus-Remote-Write-Samples-Written,
/// -Histograms-Written and -Exemplars-Written. Repeats count as
/// written; metadata that cannot be kept for now is let go, but for a request that has nothing
/// else: 503; samples older than their retention are taken and not stored, whatever was
/// acknowledged being decided elsewhere, and do not count as written. Thread contract: any thread
/// that may block.
class WriteApi {
 public:
  WriteApi(const WriteParts& parts, std::function<WriteTimes()> times)
      : parts_(parts), times_(std::move(times)) {}
  /// 415 for another content type or encoding, before a byte of the body is read.
  static std::optional<net::Response> admit(const net::Headers& headers);
  void handle(net::Request request, net::Responder responder);

 private:
  BesideSamples take_beside(WriteBatch& batch);
  void answer(net::Responder responder, const Written& written, BesideSamples beside);
  void name_conflict(net::Responder responder, Written written, BesideSamples beside);
  std::string name_of(const CustomerId& customer, const heads::Conflict& conflict) const;
  void keep_exemplars(net::Responder responder, const Written& written,
                      std::vector<ingest::OwnedExemplars> exemplars);

  const WriteParts parts_;
  std::function<WriteTimes()> times_;
};

}  // namespace vigia::storage::api
