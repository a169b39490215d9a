#include "services/monitor/internal_port/snapshot.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "libs/base/fault.hpp"
#include "libs/base/hex.hpp"
#include "libs/service/log.hpp"
#include "libs/tenancy/directory_document.hpp"
#include "libs/tenancy/snapshot_doubt.hpp"
#include "services/monitor/api/answers.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/internal_port/limits.hpp"
#include "services/monitor/store/history.hpp"
#include "services/monitor/tokens/tokens.hpp"

namespace vigia::monitor::internal_port {
namespace {

constexpr std::chrono::milliseconds kWaiterTick{200};
/// Looks at the database until two in a row saw no change between them.
constexpr int kLooksMax = 10;
/// Tokens by owner; operators have none. Found once for all, since there may be a million of them.
using TokensByOwner = std::map<std::optional<CustomerId>, std::vector<const tokens::TokenRow*>>;

TokensByOwner by_owner(const std::vector<tokens::TokenRow>& tokens) {
  TokensByOwner owned;
  for (const auto& token : tokens) owned[token.customer].push_back(&token);
  return owned;
}

/// Nothing for a scope that this version does not know: such a token opens nothing. Whoever may
/// manage may read.
std::optional<tenancy::Scope> scope_of(std::string_view text) {
  if (text == "ingest") return tenancy::Scope::kIngest;
  if (text == "read" || text == "manage") return tenancy::Scope::kRead;
  return std::nullopt;
}

bool knows(const tenancy::Directory& directory, const std::string& sha256_hex) {
  const auto bytes = from_hex(sha256_hex);
  tenancy::TokenHash hash{};
  if (!bytes || bytes->size() != hash.size()) return false;
  std::copy(bytes->begin(), bytes->end(), hash.begin());
  return directory.owner_of(hash, 0).has_value();
}

// With `known` only tokens that stand there.
void write_tokens(const TokensByOwner& tokens, const std::optional<CustomerId>& owner,
                  tenancy::DocumentWriter& writer, const tenancy::Directory* known = nullptr) {
  const auto own = tokens.find(owner);
  if (own == tokens.end()) return;
  for (const tokens::TokenRow* token : own->second) {
    if (known != nullptr && !knows(*known, token->token_sha256)) continue;
    if (const auto scope = scope_of(token->scope))
      writer.token(token->token_sha256, *scope, token->expires_ms);
  }
}

/// A customer as it is told. Of one that is taken over from what was served before nobody knows
/// whether it was disabled since: it gets no token that was not served.
struct ToldCustomer {
  tenancy::Customer customer;
  bool has_tokens = true;
  const tenancy::Directory* taken_from = nullptr;
};

// By id, as the rows are. Rows that cannot be read stand for as many customers that are not there;
// where more are missing they are lost, which is for Snapshot to doubt.
Result<std::vector<ToldCustomer>> told_customers(store::DatabaseConnection& connection,
                                                 const tenancy::Directory* good) {
  auto rows = customers::list_customers(connection);
  if (!rows) return forward(rows);
  std::vector<ToldCustomer> told;
  std::set<CustomerId> there;
  for (const auto& row : *rows) {
    there.insert(row.id);
    // A disabled customer stays known, so that what is under way still finds its shard; it has no
    // tokens.
    told.push_back({fields::in_directory(row), row.is_enabled});
  }
  if (good == nullptr) return told;
  for (const auto& customer : good->customers()) {
    if (!there.contains(customer.id)) told.push_back({customer, true, good});
  }
  if (told.size() == rows->size()) return told;
  auto count = customers::count_customers(connection);
  if (!count) return forward(count);
  if (told.size() > *count)
    told.erase(told.begin() + static_cast<std::ptrdiff_t>(rows->size()), told.end());
  std::sort(told.begin(), told.end(),
            [](const auto& a, const auto& b) { return a.customer.id < b.customer.id; });
  return told;
}

net::Response not_modified(const std::string& etag) {
  net::Response response;
  response.status = 304;
  response.headers.add("etag", etag);
  return response;
}

std::string write_document(const store::History& history,
                           const std::vector<ToldCustomer>& customers,
                           const std::vector<tokens::TokenRow>& tokens) {
  const TokensByOwner owned = by_owner(tokens);
  tenancy::DocumentWriter writer({history.database, history.directory_revision,
                                  history.customers_removed, history.confirmed_revision});
  for (const auto& told : customers) {
    writer.customer(told.customer);
    if (told.has_tokens) write_tokens(owned, told.customer.id, writer, told.taken_from);
  }
  writer.operators();
  write_tokens(owned, std::nullopt, writer);
  return writer.finish();
}

/// Why `next` cannot have come from `good` by what people do; "" where it can.
std::string doubt_between(const tenancy::Directory::ReadDocument& good,
                          std::string_view good_document,
                          const tenancy::Directory::ReadDocument& next, std::string_view document) {
  if (next.mark.confirmed_revision > good.mark.revision) return "";
  if (next.mark.database == good.mark.database && next.mark.revision == good.mark.revision &&
      tenancy::are_of_one_version(document, good_document) && document != good_document) {
    return fmt::format("customers or tokens differ from what was served at the same revision {}",
                       next.mark.revision);
  }
  if (next.mark.database != good.mark.database) {
    return fmt::format("it is not the one of the last snapshot (its id is {}, not {})",
                       next.mark.database, good.mark.database);
  }
  const std::size_t lost = tenancy::unexplained_losses(good, next);
  if (lost > 0) return fmt::format("{} customers are missing that nobody removed", lost);
  return tenancy::doubt_of(good, next);
}

}  // namespace

Result<std::string> write_snapshot(store::DatabaseConnection& connection,
                                   const tenancy::Directory* good) {
  for (int look = 0; look < kLooksMax; ++look) {
    auto before = store::read_history(connection);
    if (!before) return forward(before);
    auto customers = told_customers(connection, good);
    if (!customers) return forward(customers);
    auto tokens = tokens::list_live_tokens(connection);
    if (!tokens) return forward(tokens);
    auto after = store::read_history(connection);
    if (!after) return forward(after);
    const bool is_one_moment = before->directory_revision == after->directory_revision &&
                               before->database == after->database;
    if (is_one_moment) return write_document(*after, *customers, *tokens);
  }
  return fail(ErrorCode::kUnavailable, "customers and tokens change faster than they can be read");
}

Snapshot::Snapshot(store::Database& database, std::string own_token_sha256, const Clock& clock,
                   service::MetricRegistry& metrics)
    : database_(database),
      own_token_sha256_(std::move(own_token_sha256)),
      clock_(clock),
      waiting_(metrics.gauge("vigia_monitor_snapshot_waiters",
                             "Readers of the snapshot that wait for a change")),
      changes_(metrics.counter("vigia_monitor_snapshot_changes_total",
                               "How often the snapshot's content changed")),
      keep_failures_(metrics.counter("vigia_monitor_snapshot_keep_failures_total",
                                     "Writes of the kept snapshot that failed")) {
  const std::string folder = database.state_directory();
  if (!folder.empty()) kept_file_.emplace(folder + "/snapshot.json");
}

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
  load_kept();
  auto refreshed = refresh();
  if (!refreshed) return forward(refreshed);
  thread_ = std::thread([this] { run(); });
  return {};
}

std::string Snapshot::current() const {
  const std::scoped_lock lock(mutex_);
  return document_;
}

void Snapshot::load_kept() {
  if (!kept_file_) return;
  const std::scoped_lock refresh_lock(refresh_mutex_);
  auto loaded = kept_file_->load(clock_.wall_ms());
  for (const std::string& problem : loaded.problems) {
    service::log_error(
        "a kept snapshot is damaged and not used; look at the disk",
        {{"error", problem},
         {"instead", loaded.directory ? "the one before it" : "the database alone"}});
  }
  if (!loaded.directory) return;
  // The one before the newest is older than what was served: a database that is ahead of it is in
  // order, and one at its revision is judged by the anchor.
  serve(loaded.directory->text);
  good_ = std::move(loaded.directory->snapshot);
}

Result<void> Snapshot::refresh() {
  const std::scoped_lock refresh_lock(refresh_mutex_);
  if (!database_.doubt().empty()) return {};
  const tenancy::Directory* good = good_ ? good_->directory.get() : nullptr;
  auto document = database_.read(
      [&](store::DatabaseConnection& connection) { return write_snapshot(connection, good); });
  if (!document) return forward(document);
  const std::string before = current();
  if (good_ && *document == before) {
    if (!is_kept_) keep(*document);
    return {};
  }
  auto next = tenancy::read_document(*document, "snapshot");
  if (!next) {
    database_.raise_doubt(next.error().message);
    return {};
  }
  const std::string doubt = good_ ? doubt_between(*good_, before, *next, *document) : "";
  if (!doubt.empty()) {
    database_.raise_doubt(doubt);
    return {};
  }
  keep(*document);  // first: what was served must not be forgotten
  serve(*document);
  good_ = std::move(*next);
  changes_.add();
  return {};
}

void Snapshot::keep(const std::string& document) {
  if (!kept_file_) return;
  const auto stored = kept_file_->store(document);
  if (stored) {
    if (!is_kept_) service::log_info("the snapshot is kept on disk again");
  } else {
    keep_failures_.add();
    if (is_kept_) {
      service::log_error("the snapshot is not kept on disk, and tried again",
                         {{"error", stored.error().message}});
    }
  }
  is_kept_ = stored.has_value();
}

void Snapshot::serve(const std::string& document) {
  std::string body = tenancy::with_operator(document, own_token_sha256_);
  std::list<Waiter> released;
  net::Response response;
  {
    const std::scoped_lock lock(mutex_);
    document_ = document;
    body_ = std::make_shared<const std::string>(std::move(body));
    etag_ = "\"" + sha256_hex(*body_).substr(0, 32) + "\"";
    released.swap(waiters_);
    response = this->document();
    waiting_.set(0);
  }
  for (auto& waiter : released) waiter.responder.send(response);
}

net::Response Snapshot::document() const {
  auto response = api::json_answer(200, "");
  response.shared_body = body_;
  response.headers.add("etag", etag_);
  return response;
}

void Snapshot::answer(const std::string& if_none_match, Duration wait, net::Responder responder) {
  net::Response response;
  {
    const std::scoped_lock lock(mutex_);
    if (etag_.empty()) {
      response =
          api::to_response(api::Refusal(503, "unavailable", "the snapshot is not there yet"));
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

}  // namespace vigia::monitor::internal_port
