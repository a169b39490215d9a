#include "services/router/api/prometheus/federate_api.hpp"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libs/net/status.hpp"
#include "services/router/api/prometheus/exposition.hpp"
#include "services/router/api/prometheus/store_parts.hpp"
#include "services/router/plan/federation.hpp"
#include "services/router/run/own_shard.hpp"

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

namespace {

/// The pages of several shards, as they come; calls `done` with one made of them.
class Pages : public std::enable_shared_from_this<Pages> {
 public:
  /// `missing`: what is said of each shard that gives none. `stores` must outlive it.
  Pages(stores::Stores& stores, std::vector<std::string> missing, access::Caller caller,
        run::FederationRunner::Done done)
      : stores_(stores),
        missing_(std::move(missing)),
        caller_(std::move(caller)),
        pages_(missing_.size()),
        left_(missing_.size()),
        done_(std::move(done)) {}

  void take(std::size_t number, run::FederatedPage page) {
    {
      const std::lock_guard lock(mutex_);
      if (page.text) bytes_ += page.text->size();
      pages_[number] = std::move(page);
      if (--left_ > 0) return;
    }
    if (bytes_ < upstream::Readers::kLargeBytes) return done_(merged());
    // This may be the thread on which everybody's answers come.
    stores_.readers().read(caller_.payer(), bytes_,
                           [self = shared_from_this()] { self->done_(self->merged()); });
  }

 private:
  /// One shard's page is better than none, with a warning; only where all fail it is an error.
  run::FederatedPage merged() {
    plan::Notes notes;
    std::vector<std::string> texts;
    std::optional<Error> error;
    for (std::size_t i = 0; i < pages_.size(); ++i) {
      run::FederatedPage& page = *pages_[i];
      if (page.text) page.text = exposition_of(std::move(*page.text), caller_.customer);
      if (!page.text) {
        error = page.text.error();
        notes.warnings.push_back(missing_[i]);
        continue;
      }
      texts.push_back(std::move(*page.text));
      std::move(page.notes.warnings.begin(), page.notes.warnings.end(),
                std::back_inserter(notes.warnings));
      if (!notes.served.empty()) notes.served += ", ";
      notes.served += page.notes.served;
    }
    if (texts.empty()) return {tl::unexpected<Error>(*error), {}};
    std::sort(notes.warnings.begin(), notes.warnings.end());
    notes.warnings.erase(std::unique(notes.warnings.begin(), notes.warnings.end()),
                         notes.warnings.end());
    return {merge_pages(texts), std::move(notes)};
  }

  stores::Stores& stores_;
  const std::vector<std::string> missing_;
  const access::Caller caller_;
  std::mutex mutex_;
  std::vector<std::optional<run::FederatedPage>> pages_;
  std::size_t left_;
  std::size_t bytes_ = 0;
  const run::FederationRunner::Done done_;
};

}  // namespace

/// Of the one shard that holds all, or of all that the caller's series are split over.
void FederateApi::start(plan::Question question, std::shared_ptr<access::Interest> interest,
                        run::FederationRunner::Done done) {
  const auto shard = run::own_shard(stores_, question);
  const auto all = stores_.hot_of(question.caller);
  if (shard || all.size() < 2) {
    return run::FederationRunner::start(stores_, std::move(question), shard, std::move(interest),
                                        std::move(done));
  }
  std::vector<std::string> missing;
  for (const stores::AskedShard* each : all) {
    missing.push_back(missing_hot(question.caller, each->name()));
  }
  // Shared: by the answers of all, which come on any thread.
  const auto pages =
      std::make_shared<Pages>(stores_, std::move(missing), question.caller, std::move(done));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto number = static_cast<std::size_t>(all[i] - stores_.shards().data());
    run::FederationRunner::start(
        stores_, question, number, interest,
        [pages, i](run::FederatedPage page) { pages->take(i, std::move(page)); });
  }
}

void FederateApi::federate(request::ApiRequest request, request::Exchange exchange) {
  const plan::ReadingRules rules{stores_.language(), stores_.clock().wall_ms(),
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
  start(std::move(*question), request.interest,
        [this, payer = std::move(payer), send = std::move(send)](run::FederatedPage page) mutable {
          const bool is_large = page.text && page.text->size() >= upstream::Readers::kLargeBytes;
          if (!is_large) return send(std::move(page));
          // This may be the thread on which everybody's answers come.
          const std::size_t bytes = page.text->size();
          stores_.readers().read(payer, bytes,
                                 [send = std::move(send), page = std::move(page)]() mutable {
                                   send(std::move(page));
                                 });
        });
}

}  // namespace vigia::router::api::prometheus
