#include "services/storage/settings.hpp"

#include <filesystem>

#include "libs/service/doors.hpp"
#include "libs/service/internal_token.hpp"

namespace vigia::storage {
namespace {

constexpr std::uint64_t kMemoryMin = 256U << 20U;
constexpr std::uint64_t kLogBytesMin = 256U << 20U;
constexpr Duration kExpiryIntervalMin = std::chrono::seconds(1);

Duration read_retention(const service::ConfigNode& node, Duration fallback) {
  const std::string text = node.text();
  // "-1d" would be read as a mistake of form; this is said in words, since the way out is 0.
  if (!text.empty() && text.front() == '-') {
    node.note_error("a retention can't be negative; 0 keeps for ever");
    return fallback;
  }
  return node.duration(fallback);
}

bool is_inside(const std::string& file, const std::string& directory) {
  if (file.empty() || directory.empty()) return false;
  namespace fs = std::filesystem;
  const auto relative = fs::absolute(file).lexically_normal().lexically_relative(
      fs::absolute(directory).lexically_normal());
  return !relative.empty() && *relative.begin() != "..";
}

void read_store(const service::ConfigNode& store, Settings& settings) {
  const service::ConfigNode cassandra = store.child("cassandra");
  if (cassandra.is_present()) {
    // One error about it, not one for each key beneath.
    cassandra.accept_all();
    cassandra.note_error("this build has no Cassandra store; use store.rocksdb");
  }
  settings.known_file = store.child("known_file").text();
  const service::ConfigNode create = store.child("create");
  const std::string may_create = create.text();
  settings.may_create_store = may_create != "never";
  if (!may_create.empty() && may_create != "if_missing" && may_create != "never") {
    create.note_error("must be if_missing or never");
  }
  const service::ConfigNode rocksdb = store.child("rocksdb");
  settings.store.rocksdb.directory = rocksdb.child("directory").required_text();
  if (is_inside(settings.known_file, settings.store.rocksdb.directory)) {
    store.child("known_file")
        .note_error(
            "must lie outside of rocksdb.directory: it is there to "
            "know of a store whose directory is gone");
  }
  settings.store.rocksdb.cache_bytes =
      rocksdb.child("cache").bytes(settings.store.rocksdb.cache_bytes);
  settings.store.rocksdb.write_buffer_bytes =
      rocksdb.child("write_buffer").bytes(settings.store.rocksdb.write_buffer_bytes);
}

}  // namespace

std::string settings_help() {
  return R"(listen: 127.0.0.1:9096          remote write and read, labels, OTLP, health
metrics: {listen: 127.0.0.1:9196}   own metrics
internal_token: ...             what callers carry as Authorization: Bearer; required
store:
  create: if_missing            or never: where the directory is empty the start waits
  known_file: ...               which store was here, kept outside of its directory so that one that
                                comes up empty is noticed; default: DIRECTORY.known
  rocksdb:
    directory: ...              required; the write-ahead log lies in its folder wal
    cache: 64MiB                blocks of the store kept in memory
    write_buffer: 32MiB         per kind of data; a quarter of it for the index
memory_max: 1GiB                of the process, 256MiB at least: buffers, requests under way, late
                                samples, answers, open series (3/8; 0.6 KiB each) and known ones
                                (1/16) take their shares of it; above it whoever holds most is
                                refused, retryably
log: {bytes_max: 10GiB}         write-ahead log: at the cap writes are refused, retryably
retention:                      0 keeps for ever
  raw: 400d
  rollup_5m: 2y
  rollup_1h: 2y
  rollup_1d: 2y
  traces: 30d
  logs: 30d
  interval: 10m                 how often what is too old is looked for, never at the start
)";
}

Result<Settings> read_settings(const service::ConfigFile& file) {
  Settings settings;
  const service::ConfigNode root = file.root();
  settings.listen = service::read_listen(root.child("listen"), settings.listen);
  settings.metrics_listen =
      service::read_listen(root.child("metrics").child("listen"), settings.metrics_listen);
  settings.internal_token = service::read_bearer_token(root.child("internal_token"), true);
  read_store(root.child("store"), settings);
  const service::ConfigNode memory = root.child("memory_max");
  settings.memory_max = memory.bytes(settings.memory_max);
  if (settings.memory_max < kMemoryMin) memory.note_error("at least 256MiB");
  // Fixed as a share, whatever write_buffer says: with many families the buffers together could
  // take more than the process may.
  settings.store.rocksdb.write_buffers_bytes_max = settings.memory_max / 8;
  const service::ConfigNode log_bytes = root.child("log").child("bytes_max");
  settings.log_bytes_max = log_bytes.bytes(settings.log_bytes_max);
  if (settings.log_bytes_max < kLogBytesMin) log_bytes.note_error("at least 256MiB");
  const service::ConfigNode retention = root.child("retention");
  RetentionSettings& keep = settings.retention;
  keep.raw = read_retention(retention.child("raw"), keep.raw);
  keep.rollup_5m = read_retention(retention.child("rollup_5m"), keep.rollup_5m);
  keep.rollup_1h = read_retention(retention.child("rollup_1h"), keep.rollup_1h);
  keep.rollup_1d = read_retention(retention.child("rollup_1d"), keep.rollup_1d);
  keep.traces = read_retention(retention.child("traces"), keep.traces);
  keep.logs = read_retention(retention.child("logs"), keep.logs);
  const service::ConfigNode interval = retention.child("interval");
  keep.interval = interval.duration(keep.interval);
  if (keep.interval < kExpiryIntervalMin) interval.note_error("at least 1s");
  if (auto finished = file.finish(); !finished) return forward(finished);
  return settings;
}

}  // namespace vigia::storage
