#include "services/monitor/api/admission.hpp"

#include <string>
#include <string_view>

namespace vigia::monitor::api {
namespace {

using access::Principal;

/// A fact that an Access may ask for, when a caller fulfils it, and what he hears where not.
struct Check {
  bool AccessFacts::* fact;
  bool (*is_fulfilled)(const Principal& caller, bool is_change);
  std::string_view refusal;
};

bool is_operator(const Principal& caller, bool /*is_change*/) { return caller.is_operator(); }
bool may_do(const Principal& caller, bool is_change) { return !is_change || caller.may_change; }
bool is_person(const Principal& caller, bool /*is_change*/) {
  return caller.is_operator() || caller.is_session();
}
bool has_a_session(const Principal& caller, bool /*is_change*/) { return caller.is_session(); }

// The first that is not fulfilled is the one that is told. Of a customer's path it is whose it is
// that counts before what a token may do; of ours the other way round.
constexpr std::array<Check, 5> kChecks = {{
    {&AccessFacts::is_protected, is_operator, "only for operators"},
    {&AccessFacts::is_known, may_do, "this token may only read"},
    {&AccessFacts::is_person, is_person, "a token reads data; this is for people who log in"},
    {&AccessFacts::is_operator, is_operator, "only for operators"},
    {&AccessFacts::has_a_session, has_a_session, "only for a person who is logged in"},
}};

constexpr bool are_in_order() {
  for (std::size_t i = 0; i < kAccessFacts.size(); ++i) {
    if (kAccessFacts[i].access != static_cast<Access>(i)) return false;
  }
  return true;
}
static_assert(are_in_order(), "facts_of finds a row by its place");

}  // namespace

bool is_foreign(const CustomerId& of_path, const Principal& caller) {
  return caller.customer && *caller.customer != of_path;
}

std::optional<Refusal> refusal_of(const AccessFacts& facts, const Principal& caller,
                                  bool is_change) {
  for (const Check& check : kChecks) {
    if (facts.*check.fact && !check.is_fulfilled(caller, is_change)) {
      return Refusal(403, "forbidden", std::string(check.refusal));
    }
  }
  return std::nullopt;
}

}  // namespace vigia::monitor::api
