#include "services/router/testing/served_gateway.hpp"

#include <utility>

#include "libs/base/check.hpp"
#include "libs/net/form.hpp"

namespace vigia::router::testing {
namespace {

constexpr std::string_view kCustomers = R"(
customers:
  - id: cliente-a
    tokens: [{token: read-a, scope: read}, {token: ingest-a, scope: ingest}]
  - id: cliente-b
    tokens: [{token: read-b, scope: read}]
  - id: cliente-c
    tokens: [{token: read-c, scope: read}]
operators: [{token: op, scope: read}]
)";
// Small, so that a test can send more.
constexpr std::size_t kBodyBytesMax = 4096;

std::unique_ptr<net::Server> served(net::Handler& handler) {
  net::ServerSettings settings;
  settings.name = "test";
  settings.listen = "127.0.0.1:0";
  settings.loops = 1;
  settings.body_bytes_max = kBodyBytesMax;
  auto started = net::Server::start(std::move(settings), handler);
  CHECK(started.has_value());
  return std::move(*started);
}

std::shared_ptr<const tenancy::Directory> parsed(std::string_view text) {
  auto directory = tenancy::Directory::parse(text, "customers.yaml");
  CHECK(directory.has_value());
  return *directory;
}

}  // namespace

FixedDirectory::FixedDirectory(std::string_view text) : text_(text), directory_(parsed(text)) {}

void FixedDirectory::revoke(std::string_view token) {
  const std::size_t at = text_.find(token);
  CHECK(at != std::string::npos);
  text_.insert(at, "former-");
  auto without = parsed(text_);
  const std::lock_guard lock(mutex_);
  directory_ = std::move(without);
}

RecordingStore::RecordingStore(int status, std::string body, Bodies by_path)
    : status_(status),
      body_(std::move(body)),
      by_path_(std::move(by_path)),
      server_(served(*this)) {}

void RecordingStore::handle(net::Request request, net::Responder responder) {
  net::Response response;
  response.headers.add("content-type", "application/json");
  const auto own = by_path_.find(request.path);
  response.status = own == by_path_.end() ? status_ : 200;
  response.body = own == by_path_.end() ? body_ : own->second;
  {
    const std::lock_guard lock(mutex_);
    if (request.path != "/health") asked_.push_back(std::move(request));
  }
  responder.send(std::move(response));
}

std::vector<net::Request> RecordingStore::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

std::vector<std::string> RecordingStore::asked_at(std::string_view path) const {
  std::vector<std::string> found;
  for (const net::Request& request : asked()) {
    if (request.path != path) continue;
    std::string text(request.headers.get("x-vigia-customer"));
    char mark = '?';
    const auto form = net::parse_form(request.method == "POST" ? request.body : request.query);
    CHECK(form.has_value());
    for (const auto& [name, value] : *form) {
      text += std::exchange(mark, '&') + name + "=" + value;
    }
    found.push_back(std::move(text));
  }
  return found;
}

ServedGateway::ServedGateway(stores::StoresSettings settings, std::size_t in_flight_max)
    : ServedGateway(std::move(settings), kCustomers, {}, in_flight_max) {}

ServedGateway::ServedGateway(stores::StoresSettings settings, std::string_view customers,
                             access::QueryLimits limits, std::size_t in_flight_max)
    : settings_(std::move(settings)),
      directory_(customers),
      stores_(settings_, {*upstream_client_, *upstream_client_}, metrics_, clock_),
      access_(directory_, clock_, limits),
      gateway_(stores_, kept_, access_, metrics_, slow_, in_flight_max, [] { return true; }),
      server_(served(gateway_)) {}

ServedGateway::~ServedGateway() {
  upstream_client_->close();
  stores_.stop_reading();
}

net::ClientResponse ServedGateway::ask(const std::string& method, const std::string& target,
                                       const Headers& headers, std::string body) {
  net::ClientRequest request;
  request.method = method;
  request.url = "http://" + server_->address() + target;
  for (const auto& [name, value] : headers) request.headers.add(name, value);
  request.body = std::move(body);
  auto answer = asking_->fetch(std::move(request));
  CHECK(answer.has_value());
  return std::move(*answer);
}

}  // namespace vigia::router::testing
