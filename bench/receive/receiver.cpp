// vigia-bench-receiver: the collector's doors and checks on one event loop. Without an argument
// there is no log behind them, so that the figure compares with a collector that throws its data
// away; with a folder as argument requests are kept in a disk log there, fdatasync included, whose
// oldest part is dropped at 512 MiB. A second argument is what the cache of series may take, in
// MiB; no log is "". Prints its port; ends when its standard input does.
#include <cstdlib>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "libs/net/server.hpp"
#include "libs/service/heap.hpp"
#include "services/collector/limits.hpp"
#include "services/collector/receivers/otlp_receiver.hpp"

namespace {

constexpr std::uint64_t kLogBytesMax = 512U << 20U;

std::unique_ptr<vigia::disk_log::DiskLog> open_log(const char* folder, const vigia::Clock& clock) {
  vigia::disk_log::DiskLogSettings settings;
  settings.directory = folder;
  settings.bytes_max = kLogBytesMax;
  settings.sync_gap = vigia::collector::kSyncGap;
  settings.cursors = {{.name = "none", .required = false}};
  auto log = vigia::disk_log::DiskLog::open(settings, clock);
  if (!log) {
    fmt::print(stderr, "{}\n", log.error().message);
    std::exit(1);
  }
  return *std::move(log);
}

}  // namespace

int main(int count, char** arguments) {
  namespace collector = vigia::collector;
  namespace service = vigia::service;
  namespace tenancy = vigia::tenancy;
  namespace net = vigia::net;
  using vigia::SystemClock;
  service::keep_freed_pages(512U << 20U);  // as a collector with limit_mib: 512
  const SystemClock clock;
  service::MetricRegistry metrics;
  collector::books::Books books(metrics);
  vigia::series::SeriesCacheSettings cache;
  if (count > 2) cache.bytes_max = std::strtoull(arguments[2], nullptr, 10) << 20U;
  vigia::series::SeriesCache series(cache, clock);
  const auto directory = *tenancy::Directory::parse(
      "customers: [{id: load, tokens: [{token: load, scope: ingest}]}]", "bench");
  const auto current = [&directory] { return directory; };
  const auto log = count > 1 && *arguments[1] != '\0' ? open_log(arguments[1], clock) : nullptr;
  collector::intake::Intake intake(
      {}, {}, collector::intake::IntakeParts{log.get(), series, current, books, metrics, clock});
  collector::receivers::CustomerDoor door({current, clock, [] { return false; }, metrics});
  collector::receivers::OtlpReceiver receiver({intake, door});
  net::ServerSettings settings;
  settings.name = "bench";
  settings.listen = "127.0.0.1:0";
  settings.loops = 1;
  const auto server = net::Server::start(settings, receiver);
  if (!server) {
    fmt::print(stderr, "{}\n", server.error().message);
    return 1;
  }
  fmt::print("{}\n", (*server)->port());
  std::fflush(stdout);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) continue;
  return 0;
}
