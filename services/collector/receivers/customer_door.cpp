#include "services/collector/receivers/customer_door.hpp"

#include "libs/net/bearer_token.hpp"
#include "services/collector/intake/limits.hpp"

namespace vigia::collector::receivers {

CustomerDoor::CustomerDoor(const Parts& parts)
    : parts_(parts),
      requests_refused_(parts.metrics.counter("vigia_requests_refused_total",
                                              "Requests answered with an error, for any reason")),
      shut_out_(parts.clock) {
  parts.metrics.on_collect(
      [this](const service::MetricRegistry::Emit& emit) { shut_out_.show(emit); });
}

Result<tenancy::TokenHash> CustomerDoor::read_token(const net::RequestHead& head) {
  // A proxy in front may have judged the other one.
  if (head.headers.count("authorization") > 1) {
    return fail(ErrorCode::kInvalid, "more than one Authorization header");
  }
  auto token = net::bearer_token(head.headers.get("authorization"));
  if (!token) return forward(token);
  return tenancy::hash_token(*token);
}

Result<tenancy::Customer> CustomerDoor::admit(net::RequestHead& head) const {
  if (const auto token = read_token(head)) head.credential = *token;
  auto customer = authenticate(head);
  // From here on the request's bytes are counted as the customer's, not as its address'.
  if (customer) head.owner = customer->id.text();
  return customer;
}

Result<tenancy::Customer> CustomerDoor::authenticate(const net::RequestHead& head) const {
  const auto directory = parts_.directory();
  if (!directory) {
    return tl::unexpected<Error>(Error{ErrorCode::kUnavailable,
                                       "customers and tokens are not loaded yet, or too old",
                                       intake::kRetryAfter});
  }
  auto token = head.credential ? Result<tenancy::TokenHash>(*head.credential) : read_token(head);
  if (!token) return forward(token);
  auto principal = directory->owner_of(*token, parts_.clock.wall_ms());
  if (!principal) return forward(principal);
  if (principal->is_operator() || principal->scope != tenancy::Scope::kIngest) {
    return fail(ErrorCode::kForbidden, "the token's scope is not ingest");
  }
  const tenancy::Customer* customer = directory->find(*principal->customer);
  if (customer == nullptr) return fail(ErrorCode::kUnauthenticated, "the customer is not known");
  return *customer;
}

void CustomerDoor::note_admitted(const CustomerId& customer) {
  if (!parts_.is_short_of_memory()) shut_out_.note_let_in(customer);
}

void CustomerDoor::note_refused_by_server(const net::RequestHead& head, const Error& error) {
  if (error.code != ErrorCode::kUnavailable || !parts_.is_short_of_memory()) return;
  if (const auto customer = CustomerId::parse(head.owner)) shut_out_.note_refused(*customer);
}

bool CustomerDoor::is_serving() const {
  return parts_.directory() != nullptr && !parts_.is_short_of_memory();
}

}  // namespace vigia::collector::receivers
