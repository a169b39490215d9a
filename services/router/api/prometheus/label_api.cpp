#include "services/router/api/prometheus/label_api.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "libs/base/utf8.hpp"
#include "libs/net/routes.hpp"
#include "libs/promql/fence.hpp"
#include "libs/promql/parser.hpp"
#include "libs/promql/printer.hpp"
#include "services/router/json/lists.hpp"
#include "services/router/plan/cold_form.hpp"
#include "services/router/request/times.hpp"

namespace vigia::router::api::prometheus {
namespace {

constexpr std::string_view kHiddenLabel = "__rollup__";  // the router's own, virtual

bool is_label_name(std::string_view text) {
  const auto is_word = [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || (text.front() >= '0' && text.front() <= '9')) return false;
  return std::all_of(text.begin(), text.end(), is_word);
}

// What storage says of its own answer.
constexpr std::string_view kCut = "results truncated due to limit";

void cut(std::vector<std::string_view>& items, std::size_t limit, bool is_cut, Notes& notes) {
  const bool is_over = limit != 0 && items.size() > limit;
  if (is_over || is_cut) notes.warnings.emplace_back(kCut);
  if (is_over) items.resize(limit);
}

}  // namespace

struct LabelApi::Gathering {
  Gathering(request::Exchange open, const request::ApiRequest& request,
            const stores::Stores& stores)
      : exchange(std::move(open)),
        customer(request.caller.customer ? request.caller.customer->text() : ""),
        held(stores.shares().hold(customer)) {}

  request::Exchange exchange;
  std::string customer;  ///< "": an operator
  Kind kind = Kind::kTexts;
  std::string path;  ///< the same at hot and at storage
  bool is_post = true;
  request::Form hot_form;
  request::Form cold_form;
  net::Headers cold_headers;
  std::size_t limit = 0;
  std::optional<TimestampMs> start_ms;

  std::mutex mutex;  // the answers come on several threads, which must not wait for one another
  std::size_t missing = 0;
  std::vector<json::TextList> lists;
  std::optional<access::ByteShares::Holding> held;  ///< for the lists, and the body made of them
  std::size_t bytes = 0;                            ///< of the lists
  bool is_over = false;                             ///< the customer's share
  bool has_hot_failed = false;
  bool has_cold_failed = false;
  bool is_cut = false;                ///< storage had more
  std::vector<std::string> warnings;  ///< that it gave beside
  std::size_t answers = 0;
  std::optional<net::Response> refused;
  std::optional<Error> not_asked;  ///< our own word, instead of a store's answer
};

Result<void> LabelApi::add_selector(const access::Caller& caller,
                                    std::optional<promql::Selector> selector,
                                    Gathering& gathering) const {
  if (selector) {
    // storage takes matchers, not selectors: "next" divides what belongs to one match[] from the
    // next.
    if (!gathering.cold_form.empty()) gathering.cold_form.emplace_back("next", "1");
    if (!plan::append_matchers(*selector, gathering.cold_form)) {
      return fail(ErrorCode::kInvalid,
                  "invalid parameter \"match[]\": label names with = or ! cannot be asked for");
    }
  }
  // Hot knows no customers, so the customer's matcher goes into each selector, and where there is
  // none, one is made of it alone. Storage is told by a header instead.
  if (caller.customer) {
    auto fenced = promql::fenced_text(*caller.customer, selector.value_or(promql::Selector{}),
                                      stores_.coverage().dialect());
    if (!fenced) return forward(fenced);
    gathering.hot_form.emplace_back("match[]", std::move(*fenced));
  } else if (selector) {
    gathering.hot_form.emplace_back("match[]", promql::print(*selector));
  }
  return {};
}

Result<void> LabelApi::add_selectors(const request::ApiRequest& request,
                                     Gathering& gathering) const {
  auto texts = request.parameters.selectors();
  if (!texts) return forward(texts);
  auto selectors = promql::parse_series_selectors(*texts, stores_.coverage().dialect());
  if (!selectors) {
    return tl::unexpected<Error>(
        with_context("invalid parameter \"match[]\"", std::move(selectors.error())));
  }
  for (promql::Selector& selector : *selectors) {
    auto added = add_selector(request.caller, std::move(selector), gathering);
    if (!added) return added;
  }
  // Without a selector hot would answer with every customer's labels.
  return texts->empty() ? add_selector(request.caller, std::nullopt, gathering) : Result<void>();
}

Result<void> LabelApi::prepare(const request::ApiRequest& request, Gathering& gathering) const {
  auto added = add_selectors(request, gathering);
  if (!added) return added;
  for (const std::string_view name : {"start", "end"}) {
    auto time = request.parameters.time(name);
    if (!time) return forward(time);
    if (!*time) continue;
    if (name == "start") gathering.start_ms = **time;
    gathering.hot_form.emplace_back(name, request::format_seconds(**time));
    gathering.cold_form.emplace_back(name, request::format_seconds(plan::cold_time(**time)));
  }
  auto limit = request.parameters.single("limit");
  if (!limit) return forward(limit);
  if (*limit) {
    const std::string& text = **limit;
    const char* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, gathering.limit);
    if (failure != std::errc{} || stop != end) {
      return fail(ErrorCode::kInvalid, "invalid parameter \"limit\": must be a number from 0 on");
    }
    gathering.hot_form.emplace_back("limit", text);
    gathering.cold_form.emplace_back("limit", text);
  }
  if (request.caller.customer) {
    gathering.cold_headers.add("x-vigia-customer", request.caller.customer->text());
  }
  return {};
}

void LabelApi::labels(request::ApiRequest request, request::Exchange exchange) {
  auto gathering = std::make_shared<Gathering>(std::move(exchange), request, stores_);
  gathering->path = "/api/v1/labels";
  if (const auto ready = prepare(request, *gathering); !ready) {
    return gathering->exchange.fail(ready.error());
  }
  gather(request, gathering);
}

void LabelApi::label_values(request::ApiRequest request, request::Exchange exchange) {
  auto gathering = std::make_shared<Gathering>(std::move(exchange), request, stores_);
  const std::string& name = request.path_values.find("name")->second;
  if (!is_label_name(name)) {
    // 3.x takes any text for a name; what comes in by Vigía has none but the classic ones.
    const bool may_be_any = stores_.coverage().dialect() == promql::Dialect::kPrometheus3;
    if (may_be_any && !name.empty() && is_utf8(name)) {
      return gathering->exchange.send(success("[]", {}));
    }
    return gathering->exchange.fail({ErrorCode::kInvalid, "invalid label name"});
  }
  gathering->path = fmt::format("/api/v1/label/{}/values", name);
  gathering->is_post = false;
  if (const auto ready = prepare(request, *gathering); !ready) {
    return gathering->exchange.fail(ready.error());
  }
  // After prepare(): wrong parameters are an error for this name, too.
  if (name == kHiddenLabel) return gathering->exchange.send(success("[]", {}));
  gather(request, gathering);
}

void LabelApi::series(request::ApiRequest request, request::Exchange exchange) {
  auto gathering = std::make_shared<Gathering>(std::move(exchange), request, stores_);
  gathering->kind = Kind::kSeries;
  gathering->path = "/api/v1/series";
  if (request.parameters.all("match[]").empty()) {
    return gathering->exchange.fail({ErrorCode::kInvalid, "no match[] parameter provided"});
  }
  if (const auto ready = prepare(request, *gathering); !ready) {
    return gathering->exchange.fail(ready.error());
  }
  gather(request, gathering);
}

void LabelApi::gather(const request::ApiRequest& request, const Shared& gathering) {
  std::vector<const upstream::Upstream*> hot;
  if (const auto own = stores_.shard_of(request.caller)) {
    hot.push_back(&stores_.hot()[*own]);
  } else if (!request.caller.customer) {
    for (const upstream::Upstream& shard : stores_.hot()) hot.push_back(&shard);
  }
  const upstream::Upstream* cold = stores_.cold();
  gathering->missing = hot.size() + (cold != nullptr ? 1 : 0);
  if (gathering->missing == 0) {
    return gathering->exchange.fail(
        {ErrorCode::kUnavailable, "the hot store of this customer is not configured"});
  }
  const Duration timeout = stores_.settings().query_timeout;
  for (const upstream::Upstream* shard : hot) {
    shard->ask({request.caller.customer,
                gathering->path,
                gathering->hot_form,
                gathering->is_post,
                timeout,
                {},
                request.interest,
                upstream::Lane::kLookUp},
               [this, gathering](Result<json::Envelope> answer) {
                 take(gathering, false, std::move(answer));
               });
  }
  if (cold != nullptr) {
    cold->ask({request.caller.customer, gathering->path, gathering->cold_form, gathering->is_post,
               timeout, gathering->cold_headers, request.interest, upstream::Lane::kLookUp},
              [this, gathering](Result<json::Envelope> answer) {
                take(gathering, true, std::move(answer));
              });
  }
}

void LabelApi::take(const Shared& gathering, bool is_cold, Result<json::Envelope> answer) const {
  // Without the lock: a large one takes long, and the other answer may come on everybody's thread.
  Result<json::TextList> list = fail(ErrorCode::kUnavailable, "a store does not answer");
  if (answer && answer->is_success()) {
    list = gathering->kind == Kind::kTexts ? json::read_texts(answer->data())
                                           : json::read_series(answer->data());
  }
  bool is_last = false;
  {
    const std::lock_guard lock(gathering->mutex);
    // A store's refusal is passed on only where no store has an answer: see finish().
    if (answer && !answer->is_success()) gathering->refused = refusal(*answer);
    if (!answer && answer.error().code == ErrorCode::kOverLimit)
      gathering->not_asked = answer.error();
    if (list && !gathering->held->grow(list->bytes())) {
      gathering->is_over = true;
    } else if (list) {
      ++gathering->answers;
      gathering->bytes += list->bytes();
      gathering->lists.push_back(std::move(*list));
      for (const std::string& warning : is_cold ? answer->warnings() : std::vector<std::string>()) {
        if (warning == kCut) {
          gathering->is_cut = true;
        } else {
          gathering->warnings.push_back(warning);
        }
      }
    } else {
      (is_cold ? gathering->has_cold_failed : gathering->has_hot_failed) = true;
    }
    is_last = --gathering->missing == 0;
  }
  if (!is_last) return;
  // The callback runs on the client's event loop, which all answers share: sorting much would hold
  // them up.
  if (gathering->bytes < upstream::Readers::kLargeBytes) return finish(gathering);
  stores_.readers().read(gathering->customer, [this, gathering] { finish(gathering); });
}

void LabelApi::finish(const Shared& gathering) const {
  if (gathering->exchange.interest()->is_lost()) {
    return gathering->exchange.fail({ErrorCode::kDeadline, "the client has left"});
  }
  // The body is there beside the lists until it is whole; it is about as long as they are.
  if (gathering->is_over || !gathering->held->grow(gathering->bytes)) {
    return gathering->exchange.fail(
        {ErrorCode::kOverLimit,
         "this answer is larger than what others leave room for; read them, or ask for less",
         std::chrono::seconds(1)});
  }
  if (gathering->answers == 0) {
    if (gathering->refused) return gathering->exchange.send(std::move(*gathering->refused));
    return gathering->exchange.fail(gathering->not_asked.value_or(upstream::no_answer()));
  }
  Notes notes;
  notes.warnings = std::move(gathering->warnings);
  if (gathering->has_cold_failed) {
    notes.warnings.emplace_back(
        "cold part missing: the long-term store does not answer, so what is only there is missing "
        "here");
  }
  const auto replaced = stores_.cold_replacement();
  constexpr TimestampMs kEver = std::numeric_limits<TimestampMs>::min();
  if (replaced && replaced->lacks(gathering->start_ms.value_or(kEver))) {
    notes.warnings.push_back("cold part may be incomplete: " + replaced->text());
  }
  if (gathering->has_hot_failed) {
    notes.warnings.emplace_back(
        "hot part missing: the hot store does not answer, so what is only there is missing here");
  }
  std::string body = body_of(*gathering, notes);
  // From here on the exchange counts the body, and nothing else is there.
  gathering->lists = {};
  gathering->held.reset();
  gathering->exchange.send(end_success(std::move(body), notes));
}

/// The begin of the answer's body, up to its data.
std::string LabelApi::body_of(const Gathering& gathering, Notes& notes) const {
  auto items = json::merged(gathering.lists);
  if (gathering.kind == Kind::kTexts) std::erase(items, kHiddenLabel);
  // Cut after merging: each store has cut its own list by the same limit, and together they may
  // have more.
  cut(items, gathering.limit, gathering.is_cut, notes);
  std::string body = begin_success();
  if (gathering.kind == Kind::kTexts) {
    json::write_texts(items, body);
  } else {
    json::write_values(items, body);
  }
  return body;
}

}  // namespace vigia::router::api::prometheus
