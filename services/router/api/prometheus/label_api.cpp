#include "services/router/api/prometheus/label_api.hpp"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libs/model/label_name.hpp"
#include "libs/model/resolution.hpp"
#include "libs/net/form.hpp"
#include "services/router/api/prometheus/answer.hpp"
#include "services/router/api/prometheus/merged.hpp"
#include "services/router/json/lists.hpp"
#include "services/router/plan/look_up.hpp"

namespace vigia::router::api::prometheus {
namespace {

/// Of all lists, sorted, each once; cut after merging: each store has cut its own list by the same
/// limit, and together they may have more.
std::vector<std::string_view> merged_items(const std::vector<json::TextList>& lists, bool are_texts,
                                           std::size_t limit, StoreParts& parts) {
  auto items = json::merged(lists);
  if (are_texts) std::erase(items, kRollupLabel);
  if (limit == 0 || items.size() <= limit) return items;
  parts.note_cut();
  items.resize(limit);
  return items;
}

/// A store lists no more of what is refused anyway.
void ask_for_one_more(const access::QueryLimits& limits, plan::LookUp& look_up) {
  if (limits.series == 0 || (look_up.limit > 0 && look_up.limit <= limits.series)) return;
  for (request::Form* form : {&look_up.hot_form, &look_up.cold_form}) {
    std::erase_if(*form, [](const auto& parameter) { return parameter.first == "limit"; });
    form->emplace_back("limit", std::to_string(limits.series + 1));
  }
}

}  // namespace

void LabelApi::labels(request::ApiRequest request, request::Exchange exchange) {
  gather({Kind::kTexts, "/api/v1/labels"}, request, std::move(exchange));
}

void LabelApi::label_values(request::ApiRequest request, request::Exchange exchange) {
  const std::string& written = request.path_values.find("name")->second;
  const bool may_be_any = stores_.coverage().dialect() == promql::Dialect::kPrometheus3;
  const std::string name = may_be_any ? unescaped_name(written) : written;
  if (may_be_any ? !is_name(name) : !is_classic_label_name(name)) {
    return exchange.fail({ErrorCode::kInvalid, "invalid label name"});
  }
  if (name == kRollupLabel) {
    // Wrong parameters are an error for this name, too.
    const auto read = plan::read_look_up(request.caller, request.parameters, stores_.language(),
                                         stores_.clock().wall_ms());
    return read ? exchange.send(success("[]", {})) : exchange.fail(read.error());
  }
  gather(
      {Kind::kTexts, fmt::format("/api/v1/label/{}/values", net::percent_encode(written)), false},
      request, std::move(exchange));
}

void LabelApi::series(request::ApiRequest request, request::Exchange exchange) {
  if (request.parameters.all("match[]").empty()) {
    return exchange.fail({ErrorCode::kInvalid, "no match[] parameter provided"});
  }
  gather({Kind::kSeries, "/api/v1/series"}, request, std::move(exchange));
}

void LabelApi::gather(const List& list, const request::ApiRequest& request,
                      request::Exchange exchange) {
  auto look_up = plan::read_look_up(request.caller, request.parameters, stores_.language(),
                                    stores_.clock().wall_ms());
  if (!look_up) return exchange.fail(look_up.error());
  const access::QueryLimits& limits = request.caller.limits;
  const bool are_texts = list.kind == Kind::kTexts;
  if (!are_texts) ask_for_one_more(limits, *look_up);
  const auto hot = stores_.hot_of(request.caller);
  upstream::Ask ask(request.caller.customer, list.path, {}, list.is_post);
  ask.timeout = limits.at_most(stores_.settings().query_timeout);
  ask.answer_bytes_max = limits.bytes;
  ask.interest = request.interest;
  ask.lane = upstream::Lane::kLookUp;
  std::vector<run::AddressedAsk> asks;
  ask.form = std::move(look_up->hot_form);
  for (const stores::AskedShard* shard : hot) asks.push_back({shard, ask});
  if (stores_.cold() != nullptr) {
    ask.form = std::move(look_up->cold_form);
    asks.push_back({stores_.cold(), std::move(ask)});
  }
  if (asks.empty()) {
    return exchange.fail(
        {ErrorCode::kUnavailable, "the hot store of this customer is not configured"});
  }
  Merging<json::TextList> merging;
  merging.read = [are_texts](std::size_t /*number*/, std::string_view data) {
    return are_texts ? json::read_texts(data) : json::read_series(data);
  };
  merging.write = [are_texts, limits, limit = look_up->limit](
                      const std::vector<json::TextList>& lists, StoreParts& parts,
                      std::string& body) -> Result<void> {
    const auto items = merged_items(lists, are_texts, limit, parts);
    if (auto may = limits.check_series(are_texts ? 0 : items.size()); !may) return may;
    are_texts ? json::write_texts(items, body) : json::write_values(items, body);
    return {};
  };
  StoreParts parts(stores_, request.caller, look_up->start_ms);
  if (look_up->is_cut_off) parts.note(plan::cut_off_warning(*look_up->start_ms));
  run::fan_out<json::TextList>(std::move(asks), std::make_shared<Merged<json::TextList>>(
                                                    std::move(exchange), stores_, std::move(parts),
                                                    request.caller.payer(), std::move(merging)));
}

}  // namespace vigia::router::api::prometheus
