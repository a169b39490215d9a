#include "services/monitor/inside/snapshot.hpp"

#include <algorithm>
#include <map>

#include "libs/base/fault.hpp"
#include "libs/base/hex.hpp"
#include "libs/service/log.hpp"
#include "services/monitor/api/answers.hpp"
#include "services/monitor/json/json.hpp"
#include "services/monitor/limits.hpp"
#include "services/monitor/store/customers.hpp"
#include "services/monitor/store/tokens.hpp"

namespace vigia::monitor {
namespace {

constexpr std::chrono::milliseconds kWaiterTick{200};

void write_token(const Token& token, JsonWriter& writer) {
  writer.begin_object()
      .member("token_sha256", token.token_sha256)
      .member("scope", token.scope == "manage" ? "read" : token.scope);
  if (token.expires_ms != 0) writer.member_time("expires", token.expires_ms);
  writer.end_object();
}

/// Tokens by owner; operators have none. Found once for all, since there may be a million of them.
using TokensByOwner = std::map<std::optional<CustomerId>, std::vector<const Token*>>;

TokensByOwner by_owner(const std::vector<Token>& tokens) {
  TokensByOwner owned;
  for (const auto& token : tokens) owned[token.customer].push_back(&token);
  return owned;
}

void write_tokens(const TokensByOwner& tokens, const std::optional<CustomerId>& owner,
                  JsonWriter& writer) {
  const auto own = tokens.find(owner);
  if (own == tokens.end()) return;
  for (const Token* token : own->second) write_token(*token, writer);
}

// A disabled customer stays known, so that what is under way still finds its shard; it has no
// tokens.
void write_customer(const Customer& customer, const TokensByOwner& tokens, JsonWriter& writer) {
  writer.begin_object()
      .member("id", customer.id.text())
      .member("name", customer.name)
      .member("hot_shard", customer.hot_shard)
      .member("assigned_ms", customer.assigned_ms);
  writer.key("limits").begin_object();
  for (const auto& limit : kCustomerLimits) writer.member(limit.name, customer.limits.*limit.value);
  writer.end_object();
  writer.key("tokens").begin_array();
  if (customer.is_enabled) write_tokens(tokens, customer.id, writer);
  writer.end_array().end_object();
}

net::Response not_modified(const std::string& etag) {
  net::Response response;
  response.status = 304;
  response.headers.add("etag", etag);
  return response;
}

}  // namespace

Result<std::string> write_snapshot(const std::string& own_token_sha256, Connection& connection) {
  auto customers = list_customers(connection);
  if (!customers) return forward(customers);
  auto tokens = list_live_tokens(connection);
  if (!tokens) return forward(tokens);
  const TokensByOwner owned = by_owner(*tokens);
  JsonWriter writer;
  writer.begin_object().key("customers").begin_array();
  for (const auto& customer : *customers) write_customer(customer, owned, writer);
  writer.end_array().key("operators").begin_array();
  writer.begin_object()
      .member("token_sha256", own_token_sha256)
      .member("scope", "read")
      .end_object();
  write_tokens(owned, std::nullopt, writer);
  writer.end_array().end_object();
  return writer.take();
}

Snapshot::Snapshot(Database& database, std::string own_token_sha256, const Clock& clock,
                   service::MetricRegistry& metrics)
    : database_(database),
      own_token_sha256_(std::move(own_token_sha256)),
      clock_(clock),
      waiting_(metrics.gauge("vigia_monitor_snapshot_waiters",
                             "Readers of the snapshot that wait for a change")),
      changes_(metrics.counter("vigia_monitor_snapshot_changes_total",
                               "How often the snapshot's content changed")) {}

Snapshot::~Snapshot() { end(); }

void Snapshot::end() {
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  release_waiters();
}

Result<void> Snapshot::start() {
  auto refreshed = refresh();
  if (!refreshed) return forward(refreshed);
  thread_ = std::thread([this] { run(); });
  return {};
}

Result<void> Snapshot::refresh() {
  const std::scoped_lock refresh_lock(refresh_mutex_);
  auto body = database_.read(
      [&](Connection& connection) { return write_snapshot(own_token_sha256_, connection); });
  if (!body) return forward(body);
  std::list<Waiter> released;
  net::Response response;
  {
    const std::scoped_lock lock(mutex_);
    if (*body == body_) return {};
    body_ = std::move(*body);
    etag_ = "\"" + sha256_hex(body_).substr(0, 32) + "\"";
    released.swap(waiters_);
    response = document();
    waiting_.set(0);
  }
  changes_.add();
  for (auto& waiter : released) waiter.responder.send(response);
  return {};
}

net::Response Snapshot::document() const {
  auto response = json_answer(200, body_);
  response.headers.add("etag", etag_);
  return response;
}

void Snapshot::answer(const std::string& if_none_match, Duration wait, net::Responder responder) {
  net::Response response;
  {
    const std::scoped_lock lock(mutex_);
    if (etag_.empty()) {
      response = to_response(Refusal(503, "unavailable", "the snapshot is not there yet"));
    } else if (if_none_match != etag_) {
      response = document();
    } else if (wait <= Duration::zero() || is_ending_ || waiters_.size() >= kSnapshotWaitersMax) {
      response = not_modified(etag_);
    } else {
      waiters_.push_back(
          Waiter{std::move(responder), clock_.steady() + std::min(wait, kSnapshotWaitMax)});
      waiting_.set(static_cast<double>(waiters_.size()));
      return;
    }
  }
  responder.send(std::move(response));
}

bool Snapshot::release_waiters() {
  std::list<Waiter> released;
  net::Response response;
  bool is_ending = false;
  {
    std::unique_lock lock(mutex_);
    is_ending = wake_.wait_for(lock, kWaiterTick, [this] { return is_ending_; });
    const auto now = clock_.steady();
    for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
      const auto next = std::next(waiter);
      if (is_ending || now >= waiter->deadline) released.splice(released.end(), waiters_, waiter);
      waiter = next;
    }
    response = not_modified(etag_);
    waiting_.set(static_cast<double>(waiters_.size()));
  }
  for (auto& waiter : released) waiter.responder.send(response);
  return is_ending;
}

void Snapshot::run() {
  auto next_refresh = clock_.steady() + kSnapshotRefreshInterval;
  while (!release_waiters()) {
    if (clock_.steady() < next_refresh) continue;
    next_refresh = clock_.steady() + kSnapshotRefreshInterval;
    contain_faults("refreshing the snapshot", [this] {
      auto refreshed = refresh();
      if (!refreshed) {
        service::log_warn("snapshot not refreshed", {{"error", refreshed.error().message}});
      }
    });
  }
}

}  // namespace vigia::monitor
