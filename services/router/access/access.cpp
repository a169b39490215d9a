#include "services/router/access/access.hpp"

#include "libs/net/basic_auth.hpp"
#include "libs/net/bearer_token.hpp"

namespace vigia::router::access {
namespace {

/// Data sources that know no bearer tokens send the token as a password, under any user's name.
Result<std::string> token_of(std::string_view authorization) {
  if (auto password = net::basic_password(authorization)) return std::move(*password);
  auto token = net::bearer_token(authorization);
  if (!token) return forward(token);
  return std::string(*token);
}

}  // namespace

// A header that stands twice is refused: which of both counts would be a guess, and no fence is
// guessed.
Result<void> Access::narrow(const net::RequestHead& head, Caller& caller) const {
  const std::size_t count = head.headers.count("x-vigia-customer");
  if (count == 0) return {};
  if (count > 1) return fail(ErrorCode::kInvalid, "more than one X-Vigia-Customer header");
  auto customer = CustomerId::parse(head.headers.get("x-vigia-customer"));
  if (!customer) return forward(customer);
  caller.customer = std::move(*customer);
  return {};
}

Result<Caller> Access::identify(const net::RequestHead& head) const {
  const std::size_t count = head.headers.count("authorization");
  if (count > 1) return fail(ErrorCode::kInvalid, "more than one Authorization header");
  const auto directory = directory_.current();
  if (!directory) {
    return fail(ErrorCode::kUnavailable, "the directory of customers has not been loaded yet");
  }
  auto token = token_of(head.headers.get("authorization"));
  if (!token) return forward(token);
  auto principal = directory->authenticate(*token, clock_.wall_ms());
  if (!principal) return forward(principal);
  if (principal->scope != tenancy::Scope::kRead) {
    return fail(ErrorCode::kForbidden, "this token may send data, not read it");
  }
  Caller caller;
  caller.customer = principal->customer;
  caller.limits = limits_;
  // Nobody else's header is even read: for a customer it would be a way out of its own data.
  caller.is_operators = principal->is_operator();
  if (caller.is_operators) {
    auto narrowed = narrow(head, caller);
    if (!narrowed) return forward(narrowed);
  }
  if (caller.customer) {
    if (const auto* customer = directory->find(*caller.customer)) {
      caller.hot_shard = customer->hot_shard;
      caller.hot_shards = customer->hot_shards;
      caller.assigned_ms = customer->assigned_ms;
      caller.active_series = customer->limits.active_series;
      caller.limits = limits_of(customer->limits, limits_);
    }
  }
  return caller;
}

}  // namespace vigia::router::access
