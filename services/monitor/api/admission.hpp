// Who may call a function of the REST interface: each Access is a row of facts, and a caller is
// judged by one after the other.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "services/monitor/access/principal.hpp"
#include "services/monitor/api/answers.hpp"

namespace vigia::monitor::api {

enum class Access : std::uint8_t {
  kPublic,          ///< log-in alone
  kLoggedIn,        ///< anybody who is known
  kNoDataToken,     ///< anybody who is known but a customer's token, which reads data alone
  kSession,         ///< a person with a cookie
  kOperator,        ///< others 403
  kCustomer,        ///< {customer_id} of the path: operators, and the customer itself; others 404
  kCustomerPerson,  ///< the same, but the customer's tokens get 403
  kCustomerProtected,  ///< the same, but the customer itself gets 403
};

/// What an Access asks of who calls.
struct AccessFacts {
  Access access;
  bool is_known;       ///< by a cookie or a token; who only reads changes nothing
  bool is_of_path;     ///< the customer of the path, which exists, or an operator
  bool is_protected;   ///< nobody of a customer, whose path it is
  bool is_person;      ///< no customer's token
  bool is_operator;    ///< nobody of a customer, on a path of ours
  bool has_a_session;  ///< no token at all
};

inline constexpr std::array<AccessFacts, 8> kAccessFacts = {{
    //                       known  of path protected person operator session
    {Access::kPublic, /*         */ false, false, false, false, false, false},
    {Access::kLoggedIn, /*       */ true, false, false, false, false, false},
    {Access::kNoDataToken, /*    */ true, false, false, true, false, false},
    {Access::kSession, /*        */ true, false, false, false, false, true},
    {Access::kOperator, /*       */ true, false, false, false, true, false},
    {Access::kCustomer, /*       */ true, true, false, false, false, false},
    {Access::kCustomerPerson, /* */ true, true, false, true, false, false},
    {Access::kCustomerProtected, /**/ true, true, true, false, false, false},
}};

constexpr const AccessFacts& facts_of(Access access) {
  return kAccessFacts[static_cast<std::size_t>(access)];
}

/// Whether a customer's path is another's. To such a caller it is 404 and not 403: which other
/// customers exist is nobody's business.
bool is_foreign(const CustomerId& of_path, const access::Principal& caller);

/// Why a known caller may not call such a function; nothing where he may. The customer of the path
/// was looked at before. `is_change`: the method is none that only reads.
std::optional<Refusal> refusal_of(const AccessFacts& facts, const access::Principal& caller,
                                  bool is_change);

}  // namespace vigia::monitor::api
