#include "services/monitor/internal_port/node_scrapes.hpp"

#include <utility>

#include <fmt/format.h>

#include "services/monitor/api/answers.hpp"
#include "services/monitor/internal_port/health_text.hpp"
#include "services/monitor/internal_port/limits.hpp"

namespace vigia::monitor::internal_port {
namespace {

constexpr std::string_view kLeftOut = "vigia_monitor_scrape_lines_left_out_total";
constexpr std::string_view kLeftOutHelp =
    "Lines of nodes' answers that are not passed on, being no health of an agent";

net::Response failed(std::string why) {
  return api::to_response(api::Refusal(502, "bad_gateway", std::move(why)));
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
NodeScrapes::NodeScrapes(service::MetricRegistry& metrics)
    : malformed_(metrics.counter(kLeftOut, kLeftOutHelp, {{"reason", "malformed"}})),
      unknown_(metrics.counter(kLeftOut, kLeftOutHelp, {{"reason", "unknown"}})),
      repeated_(metrics.counter(kLeftOut, kLeftOutHelp, {{"reason", "repeated"}})),
      client_(net::Client::create({.connections_per_host_max = 0})) {}

NodeScrapes::~NodeScrapes() { end(); }
void NodeScrapes::end() { client_->close(); }

std::shared_ptr<NodeScrapes::Share> NodeScrapes::share_of(const CustomerId& customer) {
  const std::lock_guard lock(mutex_);
  auto& share = shares_[customer];
  if (!share) share = std::make_shared<Share>();
  return share;
}

net::Response NodeScrapes::as_text(Result<net::ClientResponse> answer) {
  if (!answer) return failed("the node does not answer: " + answer.error().message);
  if (answer->status != 200) return failed(fmt::format("the node answers {}", answer->status));
  const auto health = read_health_text(answer->body);
  malformed_.add(health.lines_malformed);
  unknown_.add(health.lines_unknown);
  repeated_.add(health.lines_repeated);
  if (!health.is_text()) return failed("the node's answer is no text of Prometheus' format");
  return health_response(health.series);
}

void NodeScrapes::answer(const live::NodeKey& node, const ScrapePlace& place, Duration patience,
                         net::Responder responder) {
  auto share = share_of(node.first);
  if (share->under_way >= kScrapesOfCustomerMax) {
    return responder.send(api::to_response(
        api::Refusal(503, "unavailable", "too many of this customer's nodes are being asked")));
  }
  const auto taken = std::make_shared<Place>(std::move(share));
  net::ClientRequest request;
  request.url = fmt::format("{}://{}/health", place.is_encrypted ? "https" : "http", place.address);
  request.headers.add("accept", "text/plain;version=0.0.4");
  request.timeout = patience;
  request.response_bytes_max = kScrapeBytesMax;
  if (place.is_encrypted) request.tls = net::TlsClientSettings{"", "", "", true};
  request.may_grow = [taken](std::size_t bytes) { return taken->grow(bytes); };
  client_->send(std::move(request), [this, taken, asked = std::move(responder)](
                                        Result<net::ClientResponse> answer) mutable {
    asked.send(as_text(std::move(answer)));
  });
}

}  // namespace vigia::monitor::internal_port
