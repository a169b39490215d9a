// The whole door of a router, over stores that a test chose, asked over a socket as clients ask.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/net/client.hpp"
#include "libs/net/server.hpp"
#include "services/router/gateway.hpp"

namespace vigia::router::testing {

/// The customers of a text that a test gives, and of which it can take them away again. Any thread.
class FixedDirectory final : public tenancy::DirectorySource {
 public:
  /// A customers.yaml. Ends the test program where it is none.
  explicit FixedDirectory(std::string_view text);

  /// As before the monitor has ever answered.
  void forget() { is_there_ = false; }
  /// From now on nobody knows this token.
  void revoke(std::string_view token);
  std::shared_ptr<const tenancy::Directory> current() const override {
    const std::lock_guard lock(mutex_);
    return is_there_ ? directory_ : nullptr;
  }
  std::uint64_t refresh_failures() const override { return 0; }
  double age_seconds() const override { return 0; }
  std::uint64_t cache_failures() const override { return 0; }
  std::uint64_t cache_damages() const override { return 0; }
  bool is_doubted() const override { return false; }
  std::uint64_t left_out() const override { return 0; }

 private:
  std::string text_;
  mutable std::mutex mutex_;
  std::shared_ptr<const tenancy::Directory> directory_;  // shared as every source's is
  std::atomic<bool> is_there_{true};
};

/// A store on a port of its own that keeps the requests it gets, and gives each the same answer, or
/// the one of its path with status 200. Any thread.
class RecordingStore final : public net::Handler {
 public:
  using Bodies = std::map<std::string, std::string, std::less<>>;
  RecordingStore(int status, std::string body, Bodies by_path = {});

  std::string url() const { return "http://" + server_->address(); }
  void handle(net::Request request, net::Responder responder) override;
  /// Remote read's, which tests read themselves.
  bool reads_coding(const net::RequestHead& /*head*/, std::string_view coding) const override {
    return coding == "snappy";
  }
  /// Those that were sent for a caller, in order: what the router looks at by itself is left out.
  std::vector<net::Request> asked() const;
  /// What was asked at that path, in order: "cliente-a?metric=up&limit=1", the customer that it was
  /// told and the parameters, decoded.
  std::vector<std::string> asked_at(std::string_view path) const;

 private:
  const int status_;
  const std::string body_;
  const Bodies by_path_;
  mutable std::mutex mutex_;
  std::vector<net::Request> asked_;
  std::unique_ptr<net::Server> server_;  // after what its thread reads
};

/// Customers cliente-a, cliente-b and cliente-c with the read tokens read-a, read-b and read-c, an
/// ingest token ingest-a, and an operator's token op. One thread asks.
class ServedGateway {
 public:
  explicit ServedGateway(stores::StoresSettings settings, std::size_t in_flight_max = 8);
  /// Of other customers, a customers.yaml, and with other limits of those that have none.
  ServedGateway(stores::StoresSettings settings, std::string_view customers,
                access::QueryLimits limits, std::size_t in_flight_max = 8);
  ~ServedGateway();
  ServedGateway(const ServedGateway&) = delete;
  ServedGateway& operator=(const ServedGateway&) = delete;

  using Headers = std::vector<std::pair<std::string, std::string>>;
  /// The whole answer, status and all. Ends the test program where there is none.
  net::ClientResponse ask(const std::string& method, const std::string& target,
                          const Headers& headers, std::string body = {});
  FixedDirectory& directory() { return directory_; }
  service::MetricRegistry& metrics() { return metrics_; }
  std::string url() const { return "http://" + server_->address(); }
  std::vector<std::pair<std::string, std::string>> routes() const { return gateway_.routes(); }

 private:
  const stores::StoresSettings settings_;
  const SystemClock clock_;
  service::MetricRegistry metrics_;
  FixedDirectory directory_;
  const std::unique_ptr<net::Client> upstream_client_ = net::Client::create({});
  const std::unique_ptr<net::Client> asking_ = net::Client::create({});
  stores::Stores stores_;
  cache::KeptAnswers kept_{{}};
  const access::Access access_;
  request::SlowQueries slow_{Duration(0), metrics_, clock_};
  Gateway gateway_;
  std::unique_ptr<net::Server> server_;
};

}  // namespace vigia::router::testing
