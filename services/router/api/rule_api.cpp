#include "services/router/api/rule_api.hpp"

#include <charconv>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "libs/base/json_text.hpp"
#include "libs/promql/fence.hpp"
#include "libs/promql/parser.hpp"
#include "services/router/json/rules.hpp"

namespace vigia::router {
namespace {

constexpr std::chrono::seconds kTimeout{15};

}  // namespace

struct RuleApi::Gathering {
  explicit Gathering(Exchange open) : exchange(std::move(open)) {}

  Exchange exchange;
  std::string key;  ///< {"KEY":[…]}
  Read read;
  std::mutex mutex;
  std::size_t missing = 0;
  std::size_t answers = 0;
  std::size_t failures = 0;
  std::vector<std::string> items;
};

std::vector<const Upstream*> RuleApi::shards(const Caller& caller) const {
  std::vector<const Upstream*> found;
  if (const auto own = stores_.shard_of(caller)) {
    found.push_back(&stores_.hot()[*own]);
  } else if (!caller.customer) {
    for (const Upstream& shard : stores_.hot()) found.push_back(&shard);
  }
  return found;
}

void RuleApi::gather(const ApiRequest& request, Exchange exchange, std::string key, Ask ask,
                     Read read) {
  auto gathering = std::make_shared<Gathering>(std::move(exchange));
  gathering->key = std::move(key);
  gathering->read = std::move(read);
  const auto hot = shards(request.caller);
  gathering->missing = hot.size();
  if (hot.empty()) {
    return gathering->exchange.fail(
        {ErrorCode::kUnavailable, "the hot store of this customer is not configured"});
  }
  for (const Upstream* shard : hot) {
    shard->ask(ask,
               [this, gathering](Result<Envelope> answer) { take(gathering, std::move(answer)); });
  }
}

void RuleApi::take(const Shared& gathering, Result<Envelope> answer) const {
  bool is_last = false;
  {
    const std::lock_guard lock(gathering->mutex);
    const bool is_answer = answer && answer->is_success();
    auto items = is_answer ? gathering->read(answer->data())
                           : Result<std::vector<std::string>>(std::vector<std::string>());
    if (is_answer && items) {
      ++gathering->answers;
      for (std::string& item : *items) gathering->items.push_back(std::move(item));
    } else {
      ++gathering->failures;
    }
    is_last = --gathering->missing == 0;
  }
  if (!is_last) return;
  if (gathering->answers == 0) {
    return gathering->exchange.fail({ErrorCode::kUnavailable, "a store does not answer"});
  }
  Notes notes;
  if (gathering->failures > 0) {
    notes.warnings.emplace_back("hot part missing: a hot store does not answer");
  }
  gathering->exchange.send(
      success(fmt::format("{{\"{}\":{}}}", gathering->key, join_list(gathering->items)), notes));
}

void RuleApi::rules(ApiRequest request, Exchange exchange) {
  Ask ask{request.caller.customer, "/api/v1/rules", {}, false, kTimeout, {}};
  auto type = request.parameters.single("type");
  if (!type) return exchange.fail(type.error());
  if (*type && **type != "alert" && **type != "record") {
    return exchange.fail({ErrorCode::kInvalid, "not supported value for parameter \"type\""});
  }
  if (*type) ask.form.emplace_back("type", **type);
  gather(request, std::move(exchange), "groups", std::move(ask),
         [customer = request.caller.customer](std::string_view data) {
           return read_groups(data, customer);
         });
}

void RuleApi::alerts(ApiRequest request, Exchange exchange) {
  gather(request, std::move(exchange), "alerts",
         {request.caller.customer, "/api/v1/alerts", {}, false, kTimeout, {}},
         [customer = request.caller.customer](std::string_view data) {
           return read_alerts(data, customer);
         });
}

void RuleApi::metadata(ApiRequest request, Exchange exchange) {
  Ask ask{request.caller.customer, "/api/v1/targets/metadata", {}, false, kTimeout, {}};
  auto metric = request.parameters.single("metric");
  if (!metric) return exchange.fail(metric.error());
  if (*metric && !(*metric)->empty()) ask.form.emplace_back("metric", **metric);
  auto limit_text = request.parameters.single("limit");
  if (!limit_text) return exchange.fail(limit_text.error());
  std::size_t limit = 0;
  const std::string text = limit_text->value_or("0");
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, limit);
  if (failure != std::errc{} || stop != end) {
    return exchange.fail({ErrorCode::kInvalid, "limit must be a number"});
  }
  if (request.caller.customer) {
    // By target: /metadata itself would show every customer's metrics and help texts.
    auto fenced = promql::fenced_text(*request.caller.customer, promql::Selector{},
                                      stores_.coverage().dialect());
    if (!fenced) return exchange.fail(fenced.error());
    ask.form.emplace_back("match_target", std::move(*fenced));
  }
  const auto hot = shards(request.caller);
  if (hot.empty()) {
    return exchange.fail({ErrorCode::kUnavailable, "the hot store is not configured"});
  }
  auto open = std::make_shared<Exchange>(std::move(exchange));
  hot.front()->ask(std::move(ask), [open, limit](Result<Envelope> answer) {
    if (!answer) return open->fail(outward(answer.error()));
    if (!answer->is_success()) return open->send(refusal(*answer));
    auto data = metadata_of_targets(answer->data(), limit);
    if (!data) return open->fail({ErrorCode::kUnavailable, data.error().message});
    open->send(success(*data, {}));
  });
}

void RuleApi::build_info(ApiRequest /*request*/, Exchange exchange) {
  const std::string version = stores_.coverage().version();
  if (version.empty()) {
    return exchange.fail({ErrorCode::kUnavailable, "the hot store has not answered yet"});
  }
  // Clients look at the version to know the dialect; the rest is nobody's business.
  exchange.send(success(
      fmt::format(R"({{"version":{},"revision":"","branch":"","buildUser":"","buildDate":"",)"
                  R"("goVersion":""}})",
                  json_text(version)),
      {}));
}

}  // namespace vigia::router
