// The whole service over the network, for tests whose client is ours.
#pragma once

#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "libs/net/client.hpp"
#include "libs/wire/remote_read/read_request.hpp"
#include "libs/wire/remote_write/write_request.hpp"
#include "services/storage/service.hpp"
#include "services/storage/store/testing/otlp_bodies.hpp"

namespace vigia::storage {

class ServiceFixture : public testing::Test {
 protected:
  ServiceFixture() {
    settings_.listen = "127.0.0.1:0";
    settings_.metrics_listen = "127.0.0.1:0";
    settings_.internal_token = "secret";
    settings_.store.rocksdb.directory = folder_.path() + "/store";
    start();
  }
  void start() {
    auto service = Service::start(settings_);
    ASSERT_TRUE(service.has_value()) << service.error().message;
    service_ = std::move(*service);
  }
  void restart() {
    service_.reset();
    start();
  }

  net::ClientResponse send(net::ClientRequest request) {
    request.url = "http://" + service_->address() + request.url;
    if (request.headers.count("authorization") == 0) {
      request.headers.add("authorization", "Bearer secret");
    }
    return client_->fetch(std::move(request)).value();
  }
  net::ClientResponse get(const std::string& path, const std::string& customer = "") {
    net::ClientRequest request;
    request.url = path;
    if (!customer.empty()) request.headers.add("x-vigia-customer", customer);
    return send(std::move(request));
  }

  double service_metric(const std::string& name) {
    net::ClientRequest request;
    request.url = "http://" + service_->metrics_address() + "/metrics";
    const std::string text = client_->fetch(std::move(request)).value().body;
    const std::size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
  }

  static std::string series(const std::string& metric, const std::string& customer,
                            const std::vector<Sample>& samples) {
    const std::string labels = wire::remote_write::encode_labels(
        Labels::from({{"__name__", metric}, {"customer_id", customer}, {"node_id", "n1"}}));
    std::string message;
    for (const Sample& sample : samples) wire::remote_write::append_sample(message, labels, sample);
    return message;
  }
  net::ClientResponse write(const std::string& message, const std::string& customer = "") {
    net::ClientRequest request;
    request.method = "POST";
    request.url = "/api/v1/write";
    request.headers = {{"content-type", "application/x-protobuf"},
                       {"content-encoding", "snappy"},
                       {"x-prometheus-remote-write-version", "0.1.0"}};
    if (!customer.empty()) request.headers.add("x-vigia-customer", customer);
    request.body = wire::remote_write::compress_request(message);
    return send(std::move(request));
  }
  // Frames, in which names and values of labels stand as text.
  std::string read(const std::vector<Matcher>& matchers, const std::string& customer = "") {
    net::ClientRequest request;
    request.method = "POST";
    request.url = "/api/v1/read";
    request.headers = {{"content-type", "application/x-protobuf"}, {"content-encoding", "snappy"}};
    if (!customer.empty()) request.headers.add("x-vigia-customer", customer);
    request.body = wire::remote_read::encode_read_request(
        {{0, INT64_MAX, matchers}}, {wire::remote_read::ResponseType::kStreamedXorChunks});
    return send(std::move(request)).body;
  }
  void write_logs(const std::string& customer, const std::vector<std::string>& records,
                  const std::string& service = "shop") {
    net::ClientRequest request;
    request.method = "POST";
    request.url = "/v1/logs";
    request.headers = {{"content-type", "application/x-protobuf"}, {"x-vigia-customer", customer}};
    request.body = store::export_of(customer, records, {{"service.name", service}});
    EXPECT_EQ(send(std::move(request)).status, 200);
  }
  struct LogPage {
    int status = 0;
    std::vector<std::string> bodies;
    std::string cursor;
  };
  LogPage logs(const std::string& customer, const std::string& parameters) {
    const std::string second = std::to_string(now_ / 1000);
    const auto answer =
        get("/api/v1/logs?start=" + second + "&end=" + second + ".999&" + parameters, customer);
    LogPage page{answer.status, {}, ""};
    const auto texts = [&](const std::string& before, const auto& take) {
      std::size_t at = 0;
      while ((at = answer.body.find(before, at)) != std::string::npos) {
        at += before.size();
        take(answer.body.substr(at, answer.body.find('"', at) - at));
      }
    };
    texts(R"("body":")", [&](std::string text) { page.bodies.push_back(std::move(text)); });
    texts(R"("cursor":")", [&](std::string text) { page.cursor = std::move(text); });
    return page;
  }
  store::TimestampNs second_ns() const {
    return static_cast<store::TimestampNs>(now_ / 1000) * 1'000'000'000;
  }
  TemporaryFolder folder_;
  Settings settings_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<net::Client> client_ = net::Client::create({});
  TimestampMs now_ = SystemClock().wall_ms();
};

}  // namespace vigia::storage
