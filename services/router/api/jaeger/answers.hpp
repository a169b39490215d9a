// Storage's answers as Jaeger's API gives them:
// {"data":…,"total":…,"limit":0,"offset":0,"errors":null}.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/net/client.hpp"
#include "libs/wire/prometheus_api/envelope.hpp"

namespace vigia::router::api::jaeger {

/// What storage answered. Else what the caller is told: kInvalid, kTooLarge, kOverLimit, kDeadline
/// with storage's words or our own, kUnavailable where it does not answer, or not as it should.
Result<wire::prometheus_api::Envelope> read_cold(Result<net::ClientResponse> answer);

/// What is missing in an answer. It stands in "errors" beside the data, as {"msg":"…"}, and
/// "traceID" where it is of one: so Jaeger tells of a part that it does not have. Grafana shows it,
/// where it looks.
struct Remark {
  std::string text;
  std::string trace_id = {};
};
using Told = std::vector<Remark>;

/// `data`: JSON.
net::Response list_answer(std::string_view data, std::size_t total, const Told& told);

/// Makes the answer of storage's data; kUnavailable where that is not what it should be.
using Show = Result<net::Response> (*)(std::string_view data, const Told& told);

Result<net::Response> show_services(std::string_view data, const Told& told);
/// [{"name":"GET","spanKind":"server"},…]
Result<net::Response> show_operations(std::string_view data, const Told& told);
/// The names alone, each once.
Result<net::Response> show_operation_names(std::string_view data, const Told& told);
/// A list that storage gives in Jaeger's form: traces, and calls between services. "total" is 0, as
/// Jaeger's own.
Result<net::Response> show_as_it_is(std::string_view data, const Told& told);

}  // namespace vigia::router::api::jaeger
