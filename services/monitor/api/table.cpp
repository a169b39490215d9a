#include "services/monitor/api/table.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/json/strict_reader.hpp"
#include "libs/net/form.hpp"
#include "services/monitor/api/limits.hpp"

namespace vigia::monitor::api {
namespace {

constexpr std::string_view kPrefix = "/api/v1";

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto end = path.find('/');
    segments.emplace_back(path.substr(0, end));
    path = end == std::string_view::npos ? std::string_view() : path.substr(end);
  }
  return segments;
}

// Ids hold no character that would need an escape, so an escaped path names nothing.
std::optional<net::PathValues> match(const std::vector<std::string>& pattern,
                                     const std::vector<std::string>& segments) {
  if (pattern.size() != segments.size()) return std::nullopt;
  net::PathValues values;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (segments[i].empty()) return std::nullopt;
    if (pattern[i].front() == '{') {
      values.emplace(pattern[i].substr(1, pattern[i].size() - 2), segments[i]);
    } else if (pattern[i] != segments[i]) {
      return std::nullopt;
    }
  }
  return values;
}

bool is_change(std::string_view method) { return method != "GET" && method != "HEAD"; }

bool is_json(std::string_view content_type) {
  const auto end = content_type.find(';');
  auto type = std::string(content_type.substr(0, end));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  return type == "application/json";
}

// Whose share a request takes: a customer's, or of the operators each his own.
std::string owner_of(const access::Principal& principal) {
  return principal.customer ? principal.customer->text() : principal.name;
}

Refusal not_allowed(std::string message) { return Refusal(403, "forbidden", std::move(message)); }

}  // namespace

std::optional<std::string> ApiCall::parameter(std::string_view name) const {
  const auto parameters = net::parse_form(request.query);
  if (!parameters) return std::nullopt;
  for (const auto& [key, value] : *parameters) {
    if (key == name) return value;
  }
  return std::nullopt;
}

struct ApiTable::Job {
  Job(net::Request a_request, Found a_found, net::Responder a_responder)
      : request(std::move(a_request)),
        found(std::move(a_found)),
        responder(std::move(a_responder)),
        caller(access::caller_key(request.peer)) {
    call.logged_in = &logged_in;
  }
  const Entry& entry() const { return *found.entry; }

  const net::Request request;
  const Found found;
  net::Responder responder;
  const std::string caller;
  access::Principal logged_in;
  ApiCall call{request, found.path, {}, std::nullopt, json::JsonValue(json::JsonValue::Object{}),
               nullptr};
};

ApiTable::ApiTable(ApiGate gate, ApiWorkers workers, const Clock& clock,
                   service::MetricRegistry& metrics, OriginSettings origin)
    : gate_(std::move(gate)),
      workers_(workers),
      turns_(workers.waiting, {kWaitingAtOncePerCustomer, kWaitingPerCustomerMax, kWaitingWorkers,
                               kWaitingQueueMax}),
      changes_(clock, {kChangesAtOnce, kChangeEach}),
      origin_(std::move(origin)),
      answered_(metrics.counter("vigia_monitor_requests_total", "Requests of the REST interface",
                                {{"outcome", "answered"}})),
      refused_(metrics.counter("vigia_monitor_requests_total", "Requests of the REST interface",
                               {{"outcome", "refused"}})),
      failed_(metrics.counter("vigia_monitor_requests_total", "Requests of the REST interface",
                              {{"outcome", "failed"}})) {}

void ApiTable::add(std::string method, std::string pattern, Access access, ApiFunction function) {
  auto segments = split(pattern);
  entries_.push_back(Entry{std::move(method), std::move(pattern), std::move(segments), access,
                           std::move(function), Kind::kQuick});
}

void ApiTable::add_waiting(std::string method, std::string pattern, Access access,
                           ApiFunction function) {
  add(std::move(method), std::move(pattern), access, std::move(function));
  entries_.back().kind = Kind::kWaiting;
}

void ApiTable::add_hashing(std::string method, std::string pattern, Access access,
                           ApiFunction function) {
  add(std::move(method), std::move(pattern), access, std::move(function));
  entries_.back().kind = Kind::kHashing;
}

void ApiTable::handle(net::Request request, net::Responder responder) {
  auto found = find(request);
  if (found.entry == nullptr) {
    responder.send(finish(refuse_path(found)));
    return;
  }
  // Before anything counts by caller: behind a proxy all would be one.
  request.peer = origin_.proxies.client_of(request);
  const auto job =
      std::make_shared<Job>(std::move(request), std::move(found), std::move(responder));
  if (!post(job)) refuse_busy(*job);
}

bool ApiTable::post(const std::shared_ptr<Job>& job) {
  switch (job->entry().kind) {
    case Kind::kHashing:
      return workers_.hashing.submit(job->caller, [this, job] { run(*job); });
    case Kind::kWaiting:
      return workers_.quick.submit(job->caller, [this, job] { run_in_turn(job); });
    case Kind::kQuick:
      break;
  }
  return workers_.quick.submit(job->caller, [this, job] { run(*job); });
}

void ApiTable::run(Job& job) {
  auto refusal = prepare(job.entry(), job.call);
  note_known(job);
  answer(job,
         refusal ? tl::unexpected<Refusal>(std::move(*refusal)) : job.entry().function(job.call));
}

// The place is the caller's own, and taken when it is known who that is: by the customer of the
// path strangers would fill everybody's with requests that end in 401.
void ApiTable::run_in_turn(const std::shared_ptr<Job>& job) {
  auto refusal = prepare(job->entry(), job->call);
  note_known(*job);
  if (refusal) {
    answer(*job, tl::unexpected<Refusal>(std::move(*refusal)));
    return;
  }
  const bool is_posted = turns_.submit(owner_of(job->call.principal), [this, job] {
    answer(*job, job->entry().function(job->call));
  });
  if (!is_posted) refuse_busy(*job);
}

void ApiTable::answer(Job& job, ApiResult result) {
  auto response = finish(std::move(result));
  const bool is_proof = job.entry().kind == Kind::kHashing && response.status < 400;
  if (is_proof) {
    const auto& who = job.logged_in.name.empty() ? job.call.principal : job.logged_in;
    // A password that was right is the only proof in this pool: a session's cookie says nothing
    // about who may make it hash.
    workers_.hashing.note_known(job.caller, owner_of(who));
    workers_.quick.note_known(job.caller, owner_of(who));
  }
  job.responder.send(std::move(response));
}

// A token or cookie that holds proves who asks, whatever is then said to the request.
void ApiTable::note_known(const Job& job) {
  if (job.call.principal.name.empty()) return;
  workers_.quick.note_known(job.caller, owner_of(job.call.principal));
}

void ApiTable::refuse_busy(Job& job) {
  const bool is_log_in = job.entry().kind == Kind::kHashing;
  // A log-in is refused because of who asks; everything else because of the load.
  Refusal refusal(is_log_in ? 429 : 503, is_log_in ? "over_limit" : "unavailable",
                  "too many requests at once, try again");
  refusal.retry_after = std::chrono::seconds(1);
  job.responder.send(finish(tl::unexpected<Refusal>(std::move(refusal))));
}

net::Response ApiTable::finish(ApiResult result) {
  auto response = result ? std::move(*result) : to_response(result.error());
  auto& counter = response.status < 400 ? answered_ : response.status < 500 ? refused_ : failed_;
  counter.add();
  add_security_headers(response, gate_.is_secure);
  return response;
}

ApiTable::Found ApiTable::find(const net::RequestHead& head) const {
  Found found;
  const std::string_view path = head.path;
  if (!path.starts_with(kPrefix) || path.size() == kPrefix.size() || path[kPrefix.size()] != '/') {
    return found;
  }
  const auto segments = split(path.substr(kPrefix.size()));
  for (const auto& entry : entries_) {
    auto values = match(entry.segments, segments);
    if (!values) continue;
    if (entry.method == head.method) {
      found.entry = &entry;
      found.path = std::move(*values);
      return found;
    }
    found.allowed += found.allowed.empty() ? entry.method : ", " + entry.method;
  }
  return found;
}

net::Response ApiTable::refuse_path(const Found& found) {
  if (found.allowed.empty()) return to_response(not_found().value());
  auto response = to_response(Refusal(405, "invalid", "this path takes " + found.allowed));
  response.headers.add("allow", found.allowed);
  return response;
}

std::optional<Refusal> ApiTable::prepare(const Entry& entry, ApiCall& call) {
  if (auto refusal = admit(entry, call)) return refusal;
  if (auto refusal = check_rate(entry, call)) return refusal;
  if (entry.method != "POST" && entry.method != "PATCH") return std::nullopt;
  if (!is_json(call.request.headers.get("content-type"))) {
    return Refusal(415, "invalid", "the body has to be application/json");
  }
  auto body = json::parse_json(call.request.body);
  if (!body) return Refusal(body.error());
  if (!body->is_object()) return invalid("the body has to be a JSON object").value();
  call.body = std::move(*body);
  return std::nullopt;
}

std::optional<Refusal> ApiTable::admit(const Entry& entry, ApiCall& call) {
  const AccessFacts& facts = facts_of(entry.access);
  if (!facts.is_known) return check_origin(call.request);
  auto principal = gate_.authenticate(call.request);
  if (!principal) return Refusal(principal.error());
  call.principal = std::move(*principal);
  const bool is_a_change = is_change(entry.method);
  if (is_a_change && call.principal.is_session()) {
    if (auto refusal = check_page(call)) return refusal;
  }
  if (facts.is_of_path) {
    if (auto refusal = admit_customer(call)) return refusal;
  }
  return refusal_of(facts, call.principal, is_a_change);
}

std::optional<Refusal> ApiTable::check_page(const ApiCall& call) const {
  if (auto refusal = check_origin(call.request)) return refusal;
  // In constant time: an early end would tell how much of a guess is right.
  if (!equal_constant_time(call.request.headers.get("x-csrf-token"), call.principal.csrf_token)) {
    return not_allowed("the header X-CSRF-Token is missing or wrong; GET /session shows it");
  }
  return std::nullopt;
}

std::optional<Refusal> ApiTable::admit_customer(ApiCall& call) const {
  auto id = CustomerId::parse(call.path.at("customer_id"));
  if (!id || is_foreign(*id, call.principal)) return not_found().value();
  auto is_there = gate_.has_customer(*id);
  if (!is_there) return Refusal(is_there.error());
  if (!*is_there) return not_found().value();
  call.customer = std::move(*id);
  return std::nullopt;
}

// Of a customer's people; log-outs are counted in the audit log (SessionNotes) and always taken.
std::optional<Refusal> ApiTable::check_rate(const Entry& entry, const ApiCall& call) {
  const bool is_log_out = entry.method == "DELETE" && entry.pattern == "/session";
  if (!is_change(entry.method) || !call.principal.customer || is_log_out) return std::nullopt;
  const auto wait = changes_.take(call.principal.customer->text());
  if (!wait) return std::nullopt;
  Refusal refusal(429, "over_limit", "too many changes at once, wait a little");
  refusal.retry_after = *wait;
  return refusal;
}

// A browser says where a request comes from; a page of another site must not act with a visitor's
// cookie (A6). Programs that are no browsers send neither header.
std::optional<Refusal> ApiTable::check_origin(const net::Request& request) const {
  const auto site = request.headers.get("sec-fetch-site");
  if (!site.empty() && site != "same-origin" && site != "none") {
    return not_allowed("the request comes from another site");
  }
  const auto origin = request.headers.get("origin");
  if (origin.empty()) return std::nullopt;
  // Where the public address is known it is the only measure: Host is what the client says, and
  // behind a proxy it may be another.
  if (!origin_.public_url.empty()) {
    if (origin == origin_.public_url) return std::nullopt;
    return not_allowed("the request comes from another site");
  }
  const auto expected =
      fmt::format("{}://{}", request.is_encrypted ? "https" : "http", request.headers.get("host"));
  if (origin == expected) return std::nullopt;
  return not_allowed("the request comes from another site");
}

}  // namespace vigia::monitor::api
