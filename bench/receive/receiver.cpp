// vigia-bench-receiver: the collector's doors and checks without a log behind them, on one event
// loop, so that the figure compares with a collector that throws its data away. Prints its port;
// ends when its standard input does.
#include <fmt/format.h>
#include <unistd.h>

#include "libs/net/server.hpp"
#include "services/collector/receivers/otlp_receiver.hpp"

int main() {
  namespace collector = vigia::collector;
  namespace service = vigia::service;
  namespace tenancy = vigia::tenancy;
  namespace wire = vigia::wire;
  namespace net = vigia::net;
  using vigia::SystemClock;
  const SystemClock clock;
  service::MetricRegistry metrics;
  collector::Books books(metrics);
  wire::prometheus::SeriesCache series({}, clock);
  const auto directory = *tenancy::Directory::parse(
      "customers: [{id: load, tokens: [{token: load, scope: ingest}]}]", "bench");
  const auto current = [&directory] { return directory; };
  collector::Intake intake({}, {},
                           collector::IntakeParts{nullptr, series, current, books, metrics, clock});
  collector::OtlpReceiver receiver(
      collector::OtlpReceiver::Parts{intake, current, clock, [] { return false; }, metrics});
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
