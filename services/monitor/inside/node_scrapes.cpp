#include "services/monitor/inside/node_scrapes.hpp"

#include <utility>

#include <fmt/format.h>

#include "services/monitor/api/answers.hpp"
#include "services/monitor/limits.hpp"

namespace vigia::monitor {
namespace {

net::Response failed(std::string why) {
  return to_response(Refusal(502, "bad_gateway", std::move(why)));
}

net::Response as_text(Result<net::ClientResponse> answer) {
  if (!answer) return failed("the node does not answer: " + answer.error().message);
  if (answer->status != 200) return failed(fmt::format("the node answers {}", answer->status));
  net::Response response;
  response.headers.add("content-type", "text/plain; version=0.0.4; charset=utf-8");
  response.headers.add("cache-control", "no-store");
  response.body = std::move(answer->body);
  return response;
}

}  // namespace

/// One scrape's part of its customer's share, given back when the last owner lets it go.
class NodeScrapes::Place {
 public:
  explicit Place(std::shared_ptr<Share> share) : share_(std::move(share)) { ++share_->under_way; }
  ~Place() {
    share_->bytes -= bytes_;
    --share_->under_way;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  /// On the client's thread alone.
  bool grow(std::size_t bytes) {
    bytes_ += bytes;
    return (share_->bytes += bytes) <= kScrapeBytesOfCustomerMax;
  }

 private:
  const std::shared_ptr<Share> share_;
  std::size_t bytes_ = 0;
};

// No bound by host: nodes of several customers may lie behind one address, and a share is by
// customer.
NodeScrapes::NodeScrapes() : client_(net::Client::create({.connections_per_host_max = 0})) {}

NodeScrapes::~NodeScrapes() { end(); }
void NodeScrapes::end() { client_->close(); }

std::shared_ptr<NodeScrapes::Share> NodeScrapes::share_of(const CustomerId& customer) {
  const std::lock_guard lock(mutex_);
  auto& share = shares_[customer];
  if (!share) share = std::make_shared<Share>();
  return share;
}

void NodeScrapes::answer(const NodeKey& node, const ScrapePlace& place, Duration patience,
                         net::Responder responder) {
  auto share = share_of(node.first);
  if (share->under_way >= kScrapesOfCustomerMax) {
    return responder.send(to_response(
        Refusal(503, "unavailable", "too many of this customer's nodes are being asked")));
  }
  const auto taken = std::make_shared<Place>(std::move(share));
  net::ClientRequest request;
  request.url = fmt::format("{}://{}/health", place.is_encrypted ? "https" : "http", place.address);
  request.headers.add("accept", "text/plain;version=0.0.4");
  request.timeout = patience;
  request.response_bytes_max = kScrapeBytesMax;
  if (place.is_encrypted) request.tls = net::TlsClientSettings{"", "", "", true};
  request.may_grow = [taken](std::size_t bytes) { return taken->grow(bytes); };
  // Shared because a callback has to be copyable.
  auto held = std::make_shared<net::Responder>(std::move(responder));
  client_->send(std::move(request), [taken, held](Result<net::ClientResponse> answer) {
    held->send(as_text(std::move(answer)));
  });
}

}  // namespace vigia::monitor
