#include "services/router/api/prometheus/label_api.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libs/base/utf8.hpp"
#include "libs/model/resolution.hpp"
#include "services/router/api/prometheus/answer.hpp"
#include "services/router/json/lists.hpp"
#include "services/router/plan/expression.hpp"
#include "services/router/plan/look_up.hpp"
#include "services/router/plan/notes.hpp"
#include "services/router/plan/replies.hpp"
#include "services/router/run/fan_out.hpp"

namespace vigia::router::api::prometheus {
namespace {

// What storage says of its own answer.
constexpr std::string_view kCut = "results truncated due to limit";

bool is_label_name(std::string_view text) {
  const auto is_word = [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || (text.front() >= '0' && text.front() <= '9')) return false;
  return std::all_of(text.begin(), text.end(), is_word);
}

bool is_too_much(const Error& error) {
  return error.code == ErrorCode::kOverLimit || error.code == ErrorCode::kTooLarge;
}

}  // namespace

class LabelApi::Lists final : public run::Gathering<json::TextList>,
                              public std::enable_shared_from_this<Lists> {
 public:
  struct Parts {
    stores::Stores& stores;
    Kind kind;
    std::size_t hot_count;  ///< storage has the number behind them
    plan::LookUp look_up;
    std::string payer;
  };
  Lists(request::Exchange open, Parts parts)
      : exchange_(std::move(open)),
        parts_(std::move(parts)),
        held_(parts_.stores.shares().hold(parts_.payer)) {}

  Result<json::TextList> read(std::size_t /*number*/, const Answer& answer) const override {
    if (!answer || !answer->is_success()) {
      return fail(ErrorCode::kUnavailable, "a store does not answer");
    }
    return parts_.kind == Kind::kTexts ? json::read_texts(answer->data())
                                       : json::read_series(answer->data());
  }

  void take(std::size_t number, const Answer& answer, Result<json::TextList> list) override {
    const bool is_cold = number == parts_.hot_count;
    // A store's refusal is passed on only where no store has an answer: see finish().
    if (answer && !answer->is_success()) refused_ = refusal(*answer);
    if (!answer && is_too_much(answer.error())) too_much_ = answer.error();
    if (!list) {
      (is_cold ? has_cold_failed_ : has_hot_failed_) = true;
      if (is_cold) cold_refusal_ = plan::refusal_of(answer);
      return;
    }
    if (!held_->grow(list->bytes())) {
      is_over_ = true;
      return;
    }
    bytes_ += list->bytes();
    lists_.push_back(std::move(*list));
    if (is_cold) heed_warnings(answer->warnings());
  }

  void finish() override {
    // This may be the client's event loop, which all answers share: sorting much would hold them
    // up.
    if (bytes_ < upstream::Readers::kLargeBytes) return send();
    parts_.stores.readers().read(parts_.payer, [self = shared_from_this()] { self->send(); });
  }

 private:
  void heed_warnings(const std::vector<std::string>& warnings) {
    for (const std::string& warning : warnings) {
      if (warning == kCut) {
        is_cut_ = true;
      } else {
        notes_.warnings.push_back(warning);
      }
    }
  }

  void send() {
    if (exchange_.interest()->is_lost()) {
      return exchange_.fail({ErrorCode::kDeadline, "the client has left"});
    }
    // The body is there beside the lists until it is whole; it is about as long as they are.
    if (is_over_ || !held_->grow(bytes_)) {
      return exchange_.fail(
          {ErrorCode::kOverLimit,
           "this answer is larger than what others leave room for; read them, or ask for less",
           std::chrono::seconds(1)});
    }
    if (lists_.empty()) {
      if (refused_) return exchange_.send(std::move(*refused_));
      return exchange_.fail(too_much_.value_or(upstream::no_answer()));
    }
    note_missing();
    std::string body = body_so_far();
    // From here on the exchange counts the body, and nothing else is there.
    lists_ = {};
    held_.reset();
    exchange_.send(end_success(std::move(body), notes_));
  }

  void note_missing() {
    if (has_cold_failed_) {
      notes_.warnings.push_back(
          fmt::format("cold part missing: {}, so what is only there is missing here",
                      plan::reason_of_cold(cold_refusal_)));
    }
    const auto replaced = parts_.stores.cold_replacement();
    constexpr TimestampMs kEver = std::numeric_limits<TimestampMs>::min();
    if (replaced && replaced->lacks(parts_.look_up.start_ms.value_or(kEver))) {
      notes_.warnings.push_back("cold part may be incomplete: " + replaced->text());
    }
    if (has_hot_failed_) {
      notes_.warnings.emplace_back(
          "hot part missing: the hot store does not answer, so what is only there is missing here");
    }
  }

  /// The begin of the answer's body, up to its data.
  std::string body_so_far() {
    auto items = json::merged(lists_);
    if (parts_.kind == Kind::kTexts) std::erase(items, kRollupLabel);
    // Cut after merging: each store has cut its own list by the same limit, and together they may
    // have more.
    const std::size_t limit = parts_.look_up.limit;
    const bool is_over = limit != 0 && items.size() > limit;
    if (is_over || is_cut_) notes_.warnings.emplace_back(kCut);
    if (is_over) items.resize(limit);
    std::string body = begin_success();
    if (parts_.kind == Kind::kTexts) {
      json::write_texts(items, body);
    } else {
      json::write_values(items, body);
    }
    return body;
  }

  request::Exchange exchange_;
  const Parts parts_;
  std::vector<json::TextList> lists_;
  std::optional<access::ByteShares::HeldBytes> held_;  ///< for the lists, and the body made of them
  std::size_t bytes_ = 0;                              ///< of the lists
  bool is_over_ = false;                               ///< the customer's share
  bool has_hot_failed_ = false;
  bool has_cold_failed_ = false;
  bool is_cut_ = false;  ///< storage had more
  plan::Notes notes_;
  std::optional<net::Response> refused_;
  std::optional<Error> too_much_;      ///< our own word or a store's, instead of an answer
  std::optional<Error> cold_refusal_;  ///< where the long-term store has failed
};

void LabelApi::labels(request::ApiRequest request, request::Exchange exchange) {
  gather({Kind::kTexts, "/api/v1/labels"}, request, std::move(exchange));
}

void LabelApi::label_values(request::ApiRequest request, request::Exchange exchange) {
  const std::string& name = request.path_values.find("name")->second;
  if (!is_label_name(name)) {
    // 3.x takes any text for a name; what comes in by Vigía has none but the classic ones.
    const bool may_be_any = stores_.coverage().dialect() == promql::Dialect::kPrometheus3;
    if (may_be_any && !name.empty() && is_utf8(name)) return exchange.send(success("[]", {}));
    return exchange.fail({ErrorCode::kInvalid, "invalid label name"});
  }
  if (name == kRollupLabel) {
    // Wrong parameters are an error for this name, too.
    const auto read =
        plan::read_look_up(request.caller, request.parameters, stores_.coverage().dialect());
    return read ? exchange.send(success("[]", {})) : exchange.fail(read.error());
  }
  gather({Kind::kTexts, fmt::format("/api/v1/label/{}/values", name), false}, request,
         std::move(exchange));
}

void LabelApi::series(request::ApiRequest request, request::Exchange exchange) {
  if (request.parameters.all("match[]").empty()) {
    return exchange.fail({ErrorCode::kInvalid, "no match[] parameter provided"});
  }
  gather({Kind::kSeries, "/api/v1/series"}, request, std::move(exchange));
}

void LabelApi::gather(const List& list, const request::ApiRequest& request,
                      request::Exchange exchange) {
  auto look_up =
      plan::read_look_up(request.caller, request.parameters, stores_.coverage().dialect());
  if (!look_up) return exchange.fail(look_up.error());
  const auto hot = stores_.hot_of(request.caller);
  upstream::Ask ask(request.caller.customer, list.path, {}, list.is_post);
  ask.timeout = stores_.settings().query_timeout;
  ask.interest = request.interest;
  ask.lane = upstream::Lane::kLookUp;
  std::vector<run::AddressedAsk> asks;
  ask.form = std::move(look_up->hot_form);
  for (const upstream::Upstream* shard : hot) asks.push_back({shard, ask});
  if (stores_.cold() != nullptr) {
    ask.form = std::move(look_up->cold_form);
    asks.push_back({stores_.cold(), std::move(ask)});
  }
  if (asks.empty()) {
    return exchange.fail(
        {ErrorCode::kUnavailable, "the hot store of this customer is not configured"});
  }
  Lists::Parts parts{stores_, list.kind, hot.size(), std::move(*look_up), request.caller.payer()};
  run::fan_out<json::TextList>(std::move(asks),
                               std::make_shared<Lists>(std::move(exchange), std::move(parts)));
}

}  // namespace vigia::router::api::prometheus
