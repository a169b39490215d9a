// Answers of the REST interface, good and bad, and the headers that every answer to a browser
// carries.
#pragma once

#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "libs/base/result.hpp"
#include "libs/net/message.hpp"

namespace vigia::monitor::api {

/// An error as the interface shows it: {"error": code, "message": message}. Made from an Error, or
/// by hand for what Error has no code for (409 conflict, 415).
struct Refusal {
  int status = 500;
  std::string code;
  std::string message;
  std::optional<Duration> retry_after;

  Refusal(int a_status, std::string a_code, std::string a_message)
      : status(a_status), code(std::move(a_code)), message(std::move(a_message)) {}
  /// Internal errors keep their text for the log; the caller sees a general sentence.
  explicit Refusal(const Error& error);
};

using ApiResult = tl::expected<net::Response, Refusal>;

inline tl::unexpected<Refusal> refuse(const Error& error) {
  return tl::unexpected<Refusal>(Refusal(error));
}
/// 404, the same for what does not exist and for what is another customer's (I7).
tl::unexpected<Refusal> not_found();
tl::unexpected<Refusal> conflict(std::string message);
tl::unexpected<Refusal> invalid(std::string message);
tl::unexpected<Refusal> forbidden(std::string message);

net::Response json_answer(int status, std::string body);
net::Response no_content();
net::Response to_response(const Refusal& refusal);

/// CSP without inline script, nosniff, no framing, referrer and opener policy, and over TLS HSTS
/// (A7).
void add_security_headers(net::Response& response, bool is_secure);

}  // namespace vigia::monitor::api
