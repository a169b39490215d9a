#include "services/router/api/prometheus/federate_api.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "libs/net/status.hpp"
#include "services/router/api/prometheus/exposition.hpp"
#include "services/router/plan/federation.hpp"
#include "services/router/run/federation_runner.hpp"

namespace vigia::router::api::prometheus {
namespace {

constexpr std::string_view kContentType = "content-type";

std::string comments_of(const plan::Notes& notes) {
  std::string out;
  for (std::string warning : notes.warnings) {
    // One line each, whatever it says: what stood behind a line's end would be a sample.
    std::replace_if(
        warning.begin(), warning.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    out += "# warning: " + warning + '\n';
  }
  return out;
}

/// A line that is no comment is a series, of which each has one sample.
std::uint64_t series_in(std::string_view page) {
  std::uint64_t count = 0;
  for (std::size_t at = 0; at < page.size(); at = std::min(page.find('\n', at), page.size()) + 1) {
    if (page[at] != '#' && page[at] != '\n') ++count;
  }
  return count;
}

Result<net::Response> page_of(run::FederatedPage page, const access::Caller& caller) {
  if (page.text) page.text = exposition_of(std::move(*page.text), caller.customer);
  if (!page.text) return tl::unexpected<Error>(upstream::outward(std::move(page.text.error())));
  if (auto may = caller.limits.check_series(series_in(*page.text)); !may) return forward(may);
  net::Response response;
  response.headers.add(kContentType, "text/plain; version=0.0.4; charset=utf-8");
  if (!page.notes.served.empty()) response.headers.add("x-vigia-served", page.notes.served);
  response.body = std::move(*page.text);
  if (!page.notes.warnings.empty()) response.body.insert(0, comments_of(page.notes));
  return response;
}

}  // namespace

net::Response text_error_form(const Error& error, int status) {
  // Headers as every answer of the kind has them: Retry-After, WWW-Authenticate.
  const net::Response as_json = net::json_error(error);
  net::Response response;
  response.status = status;
  response.headers.add(kContentType, "text/plain; charset=utf-8");
  for (const net::Header& header : as_json.headers) {
    if (header.name != kContentType) response.headers.add(header.name, header.value);
  }
  response.body = error.message + '\n';
  return response;
}

void FederateApi::federate(request::ApiRequest request, request::Exchange exchange) {
  const plan::ReadingRules rules{stores_.coverage().dialect(), stores_.clock().wall_ms(),
                                 stores_.settings().query_timeout};
  access::Caller caller = request.caller;
  auto payer = request.caller.payer();
  auto question = plan::read_federation(std::move(request.caller), request.parameters, rules);
  if (!question) return exchange.fail(question.error());
  auto send = [exchange = std::move(exchange),
               caller = std::move(caller)](run::FederatedPage page) mutable {
    auto response = page_of(std::move(page), caller);
    if (!response) return exchange.fail(response.error());
    exchange.send(std::move(*response));
  };
  run::FederationRunner::start(
      stores_, std::move(*question), request.interest,
      [this, payer = std::move(payer), send = std::move(send)](run::FederatedPage page) mutable {
        const bool is_large = page.text && page.text->size() >= upstream::Readers::kLargeBytes;
        if (!is_large) return send(std::move(page));
        // This may be the thread on which everybody's answers come.
        stores_.readers().read(payer, [send = std::move(send), page = std::move(page)]() mutable {
          send(std::move(page));
        });
      });
}

}  // namespace vigia::router::api::prometheus
