#include "services/storage/ingest/settings.hpp"

namespace vigia::storage::ingest {
namespace {

constexpr std::uint64_t kLogBytesMin = 256U << 20U;

}  // namespace

IngesterSettings read_ingester(const service::ConfigNode& log) {
  IngesterSettings settings;
  const service::ConfigNode bytes_max = log.child("bytes_max");
  settings.log_bytes_max = bytes_max.bytes(settings.log_bytes_max);
  if (settings.log_bytes_max < kLogBytesMin) bytes_max.note_error("at least 256MiB");
  return settings;
}

}  // namespace vigia::storage::ingest
