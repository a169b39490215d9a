#include "services/router/plan/remote_read.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libs/model/labels.hpp"
#include "libs/model/resolution.hpp"
#include "libs/promql/fence.hpp"
#include "libs/promql/parser.hpp"
#include "libs/promql/printer.hpp"
#include "libs/wire/remote_read/read_request.hpp"

namespace vigia::router::plan {
namespace {

using wire::remote_read::Query;

/// As text, so that what a matcher and a regex may be is decided where PromQL's are, and of all of
/// a request together. UTF-8 in names is no matter of hot's age: storage is asked.
Result<std::vector<promql::Selector>> read_selectors(const std::vector<Query>& queries) {
  std::vector<std::string> texts;
  for (const Query& query : queries) {
    for (const Matcher& matcher : query.matchers) {
      if (matcher.name == kRollupLabel) {
        return fail(
            ErrorCode::kInvalid,
            fmt::format("the label {} is the router's own and cannot be asked for", kRollupLabel));
      }
    }
    promql::Selector selector;
    selector.matchers = query.matchers;
    texts.push_back(promql::print(selector));
  }
  return promql::parse_series_selectors(texts, promql::Dialect::kPrometheus3);
}

/// The selector's, with the name among them.
std::vector<Matcher> matchers_of(promql::Selector selector) {
  std::vector<Matcher> matchers = std::move(selector.matchers);
  if (!selector.name.empty()) {
    matchers.insert(matchers.begin(),
                    {MatchType::kEqual, std::string(kNameLabel), std::move(selector.name)});
  }
  return matchers;
}

}  // namespace

Result<std::string> fenced_read(const access::Caller& caller, std::string_view body) {
  auto request = wire::remote_read::parse_read_request(body);
  if (!request) return forward(request);
  auto selectors = read_selectors(request->queries);
  if (!selectors) {
    return tl::unexpected<Error>(with_context("a query's matchers", std::move(selectors.error())));
  }
  for (std::size_t i = 0; i < selectors->size(); ++i) {
    promql::Selector& selector = (*selectors)[i];
    // Storage is told the customer by a header, too: this is the second fence.
    if (caller.customer) promql::fence(*caller.customer, selector);
    const Query& query = request->queries[i];
    if (auto may = caller.limits.check_range(query.start_ms, query.end_ms); !may) {
      return forward(may);
    }
    request->queries[i].matchers = matchers_of(std::move(selector));
  }
  return wire::remote_read::encode_read_request(request->queries, {request->response_type});
}

}  // namespace vigia::router::plan
