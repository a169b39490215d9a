#include "services/monitor/internal_port/inside_server.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iterator>

#include "libs/service/health.hpp"
#include "libs/service/metrics_page.hpp"
#include "services/monitor/api/answers.hpp"
#include "services/monitor/api/limits.hpp"
#include "services/monitor/internal_port/limits.hpp"
#include "services/monitor/internal_port/unanswered.hpp"

namespace vigia::monitor::internal_port {
namespace {

constexpr std::string_view kHooks = "/hooks/";

bool is_open_path(std::string_view path) {
  return path == "/metrics" || service::HealthPaths().contain(path);
}

// The seconds of ?wait=20 or of "Prefer: wait=20" (RFC 7240); 0 where neither is there.
Duration wait_of(const net::RequestHead& head) {
  constexpr std::string_view kKey = "wait=";
  for (const std::string_view text : {std::string_view(head.query), head.headers.get("prefer")}) {
    const auto at = text.find(kKey);
    if (at == std::string_view::npos) continue;
    unsigned seconds = 0;
    const auto* first = text.data() + at + kKey.size();
    const auto [end, error] = std::from_chars(first, text.data() + text.size(), seconds);
    if (error == std::errc() && seconds <= 3600) return std::chrono::seconds(seconds);
  }
  return Duration::zero();
}

constexpr Duration kScrapePatienceMin = std::chrono::milliseconds(100);

// A little less than Prometheus itself waits, so that it is told why.
Duration scrape_patience(const net::RequestHead& head) {
  constexpr double kDefault_s = 10;
  constexpr double kLess_s = 0.5;
  const std::string text(head.headers.get("x-prometheus-scrape-timeout-seconds"));
  const double asked_s = std::strtod(text.c_str(), nullptr);
  const double patience_s =
      asked_s > 0 ? std::clamp(asked_s - kLess_s, kLess_s, kDefault_s) : kDefault_s - kLess_s;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(patience_s));
}

tl::unexpected<Error> no_such_node() { return fail(ErrorCode::kNotFound, "no such thing"); }

}  // namespace

InsideHandler::InsideHandler(InsideParts parts, std::string internal_token)
    : parts_(parts), internal_token_(std::move(internal_token)) {
  add_routes();
}

void InsideHandler::set_own_address(std::string address) {
  const std::scoped_lock lock(mutex_);
  own_address_ = std::move(address);
}

void InsideHandler::find_places() {
  // Whoever is asked before this is done, or where the queue is full, is found one by one.
  static_cast<void>(parts_.workers.submit([this] {
    const auto nodes = parts_.database.read(list_scraped_nodes);
    parts_.places.note_nodes_read(nodes.has_value());
    if (nodes) parts_.places.set_nodes(*nodes);
  }));
}

std::optional<net::Response> InsideHandler::admit(net::RequestHead& head) {
  if (is_open_path(head.path)) return std::nullopt;
  if (internal_token_.is_shown_by(head)) {
    // What waits of one customer's messages is counted as that customer's.
    if (head.path.starts_with(kHooks)) {
      const auto rest = std::string_view(head.path).substr(kHooks.size());
      head.owner = "customer " + std::string(rest.substr(0, rest.find('/')));
    }
    return std::nullopt;
  }
  return api::to_response(api::Refusal(401, "unauthenticated", "the internal token is needed"));
}

std::size_t InsideHandler::body_bytes_max(const net::RequestHead& head) const {
  return head.path.starts_with(kHooks) ? kHookBodyBytesMax : api::kRequestBodyBytesMax;
}

void InsideHandler::handle(net::Request request, net::Responder responder) {
  routes_.handle(std::move(request), std::move(responder));
}

net::Response InsideHandler::refuse(const net::RequestHead& /*head*/, const Error& error) {
  return api::to_response(api::Refusal(error));
}

// Without the token.
void InsideHandler::add_open_routes() {
  routes_.add("GET", "/health",
              [](const net::Request&, const net::PathValues&, net::Responder responder) {
                responder.send(api::json_answer(200, R"({"status":"ok"})"));
              });
  routes_.add("GET", "/ready",
              [this](const net::Request&, const net::PathValues&, net::Responder responder) {
                const std::string doubt = parts_.database.doubt();
                responder.send(doubt.empty()
                                   ? api::json_answer(200, R"({"status":"ok"})")
                                   : api::to_response(api::Refusal(503, "unavailable", doubt)));
              });
  routes_.add("GET", "/metrics",
              [this](net::Request request, const net::PathValues&, net::Responder responder) {
                responder.send(service::metrics_page(
                    parts_.metrics, service::metrics_form(request.headers.get("accept"))));
              });
}

void InsideHandler::add_routes() {
  add_open_routes();
  routes_.add("GET", "/snapshot",
              [this](net::Request request, const net::PathValues&, net::Responder responder) {
                parts_.snapshot.answer(std::string(request.headers.get("if-none-match")),
                                       wait_of(request), std::move(responder));
              });
  routes_.add("GET", "/http_sd/{shard}",
              [this](const net::Request&, const net::PathValues& path, net::Responder responder) {
                answer_targets(path, std::move(responder));
              });
  routes_.add(
      "GET", "/nodes/{customer}/{node}/health",
      [this](const net::Request& request, const net::PathValues& path, net::Responder responder) {
        answer_health(request, path, std::move(responder));
      });
  routes_.add(
      "GET", "/nodes/{customer}/{node}/scrape",
      [this](const net::Request& request, const net::PathValues& path, net::Responder responder) {
        answer_scrape(request, path, std::move(responder));
      });
  routes_.add("POST", "/hooks/{customer}/{channel}",
              [this](net::Request request, const net::PathValues& path, net::Responder responder) {
                answer_hook(std::move(request), path, std::move(responder));
              });
}

void InsideHandler::answer_hook(net::Request request, const net::PathValues& path,
                                net::Responder responder) {
  const auto customer = CustomerId::parse(path.at("customer"));
  if (!customer) return responder.send(api::to_response(api::not_found().value()));
  ChannelHooks::Message message{std::string(request.headers.get("content-type")),
                                std::move(request.body)};
  parts_.hooks.pass_on(*customer, path.at("channel"), std::move(message), std::move(responder));
}

void InsideHandler::answer_targets(const net::PathValues& path, net::Responder responder) {
  // Prometheus keeps the targets that it has: a database that lost nodes must not end their alerts.
  if (const std::string doubt = parts_.database.doubt(); !doubt.empty()) {
    return responder.send(api::to_response(api::Refusal(503, "unavailable", doubt)));
  }
  std::string own_address;
  {
    const std::scoped_lock lock(mutex_);
    own_address = own_address_;
  }
  parts_.workers.submit([this, asked = Unanswered(std::move(responder)), shard = path.at("shard"),
                         own_address = std::move(own_address)]() mutable {
    auto targets = parts_.database.read([&](store::DatabaseConnection& connection) {
      return write_targets(shard, own_address, connection);
    });
    if (!targets) return asked.send(api::to_response(api::Refusal(targets.error())));
    parts_.places.note_nodes_read(true);
    parts_.places.set_nodes(targets->scraped);
    asked.send(api::json_answer(200, std::move(targets->document)));
  });
}

void InsideHandler::answer_scrape(const net::RequestHead& head, const net::PathValues& path,
                                  net::Responder responder) {
  auto customer = CustomerId::parse(path.at("customer"));
  auto id = NodeId::parse(path.at("node"));
  if (!customer || !id) return responder.send(api::to_response(api::not_found().value()));
  const live::NodeKey key(std::move(*customer), std::move(*id));
  const TimePoint until = parts_.clock.steady() + scrape_patience(head);
  // The parts, and not this: they outlive whoever looks up names.
  NodePlaces::Asker asker = [parts = parts_, asked = Unanswered(std::move(responder)), key,
                             until](const Result<ScrapePlace>& place) mutable {
    if (!place) return asked.send(api::to_response(api::Refusal(place.error())));
    const Duration left = until - parts.clock.steady();
    if (left < kScrapePatienceMin) {
      return asked.send(api::to_response(api::Refusal(place_not_known_yet())));
    }
    parts.scrapes.answer(key, *place, left, asked.take());
  };
  if (parts_.places.ask(key, asker)) return;
  // New, or this program has just started: Prometheus still has its targets, and has not asked for
  // new ones.
  parts_.workers.submit([this, key, asker = std::move(asker)]() mutable {
    const auto known = know_node(key);
    if (!known) return asker(forward(known));
    if (!parts_.places.ask(key, asker)) asker(no_such_node());
  });
}

Result<void> InsideHandler::know_node(const live::NodeKey& key) {
  const auto node = parts_.database.read([&](store::DatabaseConnection& connection) {
    return nodes::find_node(key.first, key.second, connection);
  });
  parts_.places.note_nodes_read(node.has_value());
  if (!node) return forward(node);
  const bool is_asked = *node && (*node)->retired_ms == 0 && (*node)->is_scraped();
  if (!is_asked) return no_such_node();
  parts_.places.add_node(**node);
  return {};
}

net::Response InsideHandler::health_of(const std::optional<live::NodeKey>& node,
                                       std::string_view accept) const {
  if (!node) return api::to_response(api::not_found().value());
  const auto state = parts_.live.current();
  const auto found = state->nodes.find(*node);
  const auto looked = state->looked_ms.find(node->first);
  return node_health(found == state->nodes.end() ? nullptr : &found->second, accept,
                     looked == state->looked_ms.end() ? 0 : looked->second, parts_.clock.wall_ms());
}

void InsideHandler::answer_health(const net::RequestHead& head, const net::PathValues& path,
                                  net::Responder responder) {
  auto customer = CustomerId::parse(path.at("customer"));
  auto id = NodeId::parse(path.at("node"));
  std::optional<live::NodeKey> node;
  if (customer && id) node = live::NodeKey(std::move(*customer), std::move(*id));
  const auto accept = head.headers.get("accept");
  {
    const std::scoped_lock lock(mutex_);
    const bool may_wait = !is_ending_ && waiting_.size() < kHealthWaitersMax;
    if (node && may_wait && !parts_.live.current()->is_known()) {
      waiting_.push_back(WaitingHealth{std::move(node), std::string(accept),
                                       parts_.clock.steady() + kHealthWaitMax,
                                       std::move(responder)});
      return;
    }
  }
  responder.send(health_of(node, accept));
}

void InsideHandler::release_waiting() {
  std::vector<WaitingHealth> released;
  {
    const std::scoped_lock lock(mutex_);
    const bool is_over = is_ending_ || parts_.live.current()->is_known();
    const auto now = parts_.clock.steady();
    const auto stays = [&](const WaitingHealth& one) { return !is_over && now < one.deadline; };
    const auto middle = std::stable_partition(waiting_.begin(), waiting_.end(), stays);
    std::move(middle, waiting_.end(), std::back_inserter(released));
    waiting_.erase(middle, waiting_.end());
  }
  for (auto& one : released) one.responder.send(health_of(one.node, one.accept));
}

void InsideHandler::end() {
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
  }
  release_waiting();
  parts_.hooks.end();
  parts_.places.end();
  parts_.scrapes.end();
}

}  // namespace vigia::monitor::internal_port
