#include "services/monitor/internal_port/channel_hooks.hpp"

#include <fmt/format.h>

#include "libs/base/fault.hpp"
#include "services/monitor/access/address.hpp"
#include "services/monitor/api/answers.hpp"
#include "services/monitor/channels/channels.hpp"
#include "services/monitor/customers/limits.hpp"
#include "services/monitor/internal_port/customer_message.hpp"
#include "services/monitor/internal_port/limits.hpp"

namespace vigia::monitor::internal_port {
namespace {

constexpr std::string_view kCounter = "vigia_monitor_hooks_total";
constexpr std::string_view kHelp = "Messages to customers' webhooks and Slack channels";

// Each customer may be asked for at once, and has one job.
constexpr std::size_t kJobsMax = customers::kCustomersMax;

net::Response busy(std::string why) {
  return api::to_response(api::Refusal(503, "unavailable", std::move(why)));
}

// Alertmanager takes Slack's answer for a success only where it is this word.
net::Response taken_answer() {
  net::Response response;
  response.headers.add("content-type", "text/plain; charset=utf-8");
  response.body = "ok";
  return response;
}

// What the host answered beside its status is the customer's, and goes nowhere.
net::Response answer_of(const Result<net::ClientResponse>& answer) {
  if (!answer) {  // its words name the target, whose path may be a secret: Alertmanager logs ours
    return busy(
        fmt::format("the channel's host does not answer: {}", to_string(answer.error().code)));
  }
  const int status = passed_status(answer->status);
  if (status == 200) return taken_answer();
  return api::to_response(api::Refusal(
      status, "not_taken", fmt::format("the channel's host answers {}", answer->status)));
}

}  // namespace

int passed_status(int status) {
  if (status >= 200 && status < 300) return 200;
  // Alertmanager tries again on 5xx alone, and counts any 4xx as a message that is lost.
  if (status == 429 || status >= 500) return 503;
  // Redirects are not followed (they would lead around the address check), so 3xx is an end.
  return status >= 400 ? status : 422;
}

std::string failure_of_status(int status) { return fmt::format("its host answers {}", status); }

std::string failure_of_error(const Error& error) {
  switch (error.code) {
    case ErrorCode::kDeadline:
      return "its host does not answer in time";
    case ErrorCode::kUnavailable:
      return "its host cannot be reached";
    default:
      return "its host does not answer in HTTP";
  }
}

/// One message's part of its customer's share, given back when it is over.
class ChannelHooks::Taken {
 public:
  Taken(ChannelHooks& hooks, CustomerId customer, std::string channel_id, std::size_t bytes)
      : hooks_(hooks),
        customer_(std::move(customer)),
        channel_id_(std::move(channel_id)),
        bytes_(bytes) {}
  ~Taken() {
    if (is_counted_) hooks_.give_back(customer_, channel_id_, bytes_);
  }
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;
  /// REQUIRES: mutex_ held.
  void count(Share& share) {
    ++share.under_way;
    share.bytes += bytes_;
    ++share.of_channel[channel_id_];
    is_counted_ = true;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  ChannelHooks& hooks_;
  const CustomerId customer_;
  const std::string channel_id_;
  const std::size_t bytes_;
  bool is_counted_ = false;
};

// No bound by host: two customers' names may lead to one address, and a share is by customer.
ChannelHooks::ChannelHooks(store::Database& database, access::AddressBook& addresses,
                           channels::ChannelOutcomes& outcomes, service::MetricRegistry& metrics,
                           std::string portal)
    : database_(database),
      addresses_(addresses),
      outcomes_(outcomes),
      portal_(std::move(portal)),
      passed_(metrics.counter(kCounter, kHelp, {{"outcome", "passed"}})),
      refused_(metrics.counter(kCounter, kHelp, {{"outcome", "refused"}})),
      failed_(metrics.counter(kCounter, kHelp, {{"outcome", "failed"}})),
      client_(net::Client::create({.connections_per_host_max = 0})),
      workers_(kHookWorkers, kJobsMax) {}

ChannelHooks::~ChannelHooks() {
  end();
  workers_.stop(service::WaitingJobs::kDrop, {});
}

void ChannelHooks::end() {
  std::deque<Delivery> waiting;
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    for (auto& [customer, share] : shares_) {
      for (auto& each : share.waiting) waiting.push_back(std::move(each));
      share.waiting.clear();
    }
  }
  for (auto& each : waiting) each.responder.send(busy("this server is stopping"));
  waiting.clear();
  client_->close();
}

void ChannelHooks::give_back(const CustomerId& customer, const std::string& channel_id,
                             std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = shares_.find(customer);
  if (found == shares_.end()) return;
  found->second.bytes -= bytes;
  const auto channel = found->second.of_channel.find(channel_id);
  if (--channel->second == 0) found->second.of_channel.erase(channel);
  if (--found->second.under_way == 0 && !found->second.is_looking_up) shares_.erase(found);
}

bool ChannelHooks::take(const CustomerId& customer, Delivery& delivery) {
  const std::lock_guard lock(mutex_);
  if (is_ending_) return false;
  Share& share = shares_[customer];
  const bool is_full = share.under_way >= kHooksOfCustomerMax ||
                       share.bytes + delivery.taken->bytes() > kHookBytesOfCustomerMax;
  // A channel without a message under way is let in even then: one channel's slow host must not
  // keep the customer's others silent.
  if (is_full && share.of_channel.contains(delivery.channel_id)) return false;
  share.waiting.push_back(std::move(delivery));
  share.waiting.back().taken->count(share);
  return true;
}

void ChannelHooks::pass_on(const CustomerId& customer, const std::string& channel_id,
                           Message message, net::Responder responder) {
  const std::size_t bytes = message.body.size();
  Delivery delivery{channel_id, std::move(message), std::move(responder),
                    std::make_unique<Taken>(*this, customer, channel_id, bytes)};
  if (!take(customer, delivery)) {
    failed_.add();
    outcomes_.note_failed(customer, channel_id, "too many messages are under way to this customer");
    return delivery.responder.send(busy("too many of this customer's messages are under way"));
  }
  {
    const std::lock_guard lock(mutex_);
    const auto found = shares_.find(customer);
    if (found == shares_.end() || std::exchange(found->second.is_looking_up, true)) return;
  }
  look_up_soon(customer);
}

void ChannelHooks::look_up_soon(const CustomerId& customer) {
  bool is_posted = false;
  contain_faults("looking up a channel", [&] {
    is_posted = workers_.submit([this, customer] { look_up_next(customer); });
  });
  if (is_posted) return;
  std::deque<Delivery> dropped;
  {
    const std::lock_guard lock(mutex_);
    const auto found = shares_.find(customer);
    if (found == shares_.end()) return;
    found->second.is_looking_up = false;
    dropped.swap(found->second.waiting);
    if (found->second.under_way == 0) shares_.erase(found);
  }
  for (auto& each : dropped) {
    failed_.add();
    outcomes_.note_failed(customer, each.channel_id, "too many messages are under way");
    each.responder.send(busy("too many messages are under way"));
  }
}

void ChannelHooks::look_up_next(const CustomerId& customer) {
  std::deque<Delivery> next;
  {
    const std::lock_guard lock(mutex_);
    const auto found = shares_.find(customer);
    if (found == shares_.end()) return;
    auto& waiting = found->second.waiting;
    if (waiting.empty()) {
      found->second.is_looking_up = false;
      if (found->second.under_way == 0) shares_.erase(found);
      return;
    }
    next.push_back(std::move(waiting.front()));
    waiting.pop_front();
  }
  // A fault costs that message alone: the server answers for what was let go.
  contain_faults("passing on a message", [&] { send(customer, std::move(next.front())); });
  next.clear();
  look_up_soon(customer);
}

void ChannelHooks::count(int status) {
  if (status == 200) return passed_.add();
  (status >= 500 ? failed_ : refused_).add();
}

Result<ChannelHooks::Target> ChannelHooks::target_of(const CustomerId& customer,
                                                     const std::string& channel_id) {
  auto found = database_.read([&](store::DatabaseConnection& connection) {
    return channels::find_channel(customer, channel_id, connection);
  });
  const bool is_sound = found.has_value() && database_.doubt().empty();
  const auto key = std::make_pair(customer, channel_id);
  const std::lock_guard lock(mutex_);
  if (found && *found && (*found)->type != "email") {
    // All at once: each is read anew with its next message, and the bound is far above what is in
    // use.
    if (targets_.size() >= kHookTargetsKeptMax) targets_.clear();
    return targets_[key] = Target{(*found)->target, (*found)->type == "webhook"};
  }
  if (is_sound) {
    targets_.erase(key);
    return fail(ErrorCode::kNotFound, "the customer has no such channel");
  }
  // A database that is away, or doubted, must not silence alerts: the target as last read is used.
  const auto kept = targets_.find(key);
  if (kept != targets_.end()) return kept->second;
  return fail(ErrorCode::kUnavailable, "the channel cannot be read from the database now");
}

Result<net::ClientRequest> ChannelHooks::request_of(const CustomerId& customer,
                                                    Delivery& delivery) {
  auto target = target_of(customer, delivery.channel_id);
  if (!target) {
    if (is_retryable(target.error())) {
      outcomes_.note_failed(customer, delivery.channel_id, target.error().message);
    }
    return forward(target);
  }
  auto host = access::host_of_url(target->url);
  // Resolved and checked here, and connected to by this address: between a check and a second
  // look-up a name could change to a private one (DNS rebinding).
  auto address = host ? addresses_.resolve(*host) : Result<std::string>(forward(host));
  if (!address) {
    outcomes_.note_failed(customer, delivery.channel_id, address.error().message);
    if (address.error().code == ErrorCode::kInvalid) address.error().code = ErrorCode::kForbidden;
    return forward(address);
  }
  net::ClientRequest request;
  request.method = "POST";
  request.url = std::move(target->url);
  request.connect_to = std::move(*address);
  request.headers.add("content-type", delivery.message.content_type);
  // The body is not read beyond its first bytes, so nothing is to be unpacked.
  request.headers.add("accept-encoding", "identity");
  request.body = std::move(delivery.message.body);
  if (target->is_webhook) {
    auto body = customer_message(request.body, customer, portal_);
    if (!body) {
      outcomes_.note_failed(customer, delivery.channel_id, "the message cannot be written anew");
      return forward(body);
    }
    request.body = std::move(*body);
  }
  request.timeout = kHookTimeout;
  request.response_bytes_max = kHookAnswerBytesMax;
  request.cuts_body = true;
  return request;
}

void ChannelHooks::send(const CustomerId& customer, Delivery delivery) {
  auto request = request_of(customer, delivery);
  if (!request) {
    auto response = api::to_response(api::Refusal(request.error()));
    count(response.status);
    delivery.responder.send(std::move(response));
    return;
  }
  client_->send(std::move(*request), [this, delivery = std::move(delivery),
                                      customer](const Result<net::ClientResponse>& answer) mutable {
    auto response = answer_of(answer);
    count(response.status);
    if (response.status == 200) {
      outcomes_.note_delivered(customer, delivery.channel_id);
    } else {
      outcomes_.note_failed(
          customer, delivery.channel_id,
          answer ? failure_of_status(answer->status) : failure_of_error(answer.error()));
    }
    delivery.responder.send(std::move(response));
  });
}

}  // namespace vigia::monitor::internal_port
