// Answers in the form of Prometheus' HTTP API.
#pragma once

#include <string>
#include <string_view>

#include "libs/net/message.hpp"
#include "libs/wire/prometheus_api/envelope.hpp"
#include "services/router/plan/notes.hpp"

namespace vigia::router::api::prometheus {

/// An error as Prometheus tells it: a net::ErrorForm.
net::Response error_form(const Error& error, int status);
/// The same, with the status that the error has.
net::Response error_response(const Error& error);
/// 200 with `data` (JSON) as it is.
net::Response success(std::string_view data, const plan::Notes& notes);
/// 200 with the data of an upstream's answer, of which a large one is not copied.
net::Response success(wire::prometheus_api::Envelope answer, const plan::Notes& notes);
/// The beginning of a body, behind which the data is to be written, and what makes a 200 of it.
std::string begin_success();
net::Response end_success(std::string body, const plan::Notes& notes);
/// The caller's fault as upstream told it; what could show an address inside is left out.
net::Response refusal(const wire::prometheus_api::Envelope& envelope);
/// An answer of a store as it is, with what PromQL remarked: its data, its refusal, or the error.
net::Response passed_on(Result<wire::prometheus_api::Envelope> answer);

}  // namespace vigia::router::api::prometheus
