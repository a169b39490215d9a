#include "services/storage/healing/made_series.hpp"

#include <fmt/format.h>

namespace vigia::storage::healing {
namespace {

constexpr std::string_view kJobLabel = "job";
// What customers' nodes and collectors are scraped by, whosever the series are.
constexpr std::string_view kJobs = "customer-agents|otel-collector";
// Of our own programs without a customer_id: a customer's series may call itself job vigia-router.
constexpr std::string_view kOwnJobs = "customer-agents|otel-collector|vigia-.*";
constexpr std::string_view kNames = "ALERTS|ALERTS_FOR_STATE|vigia:.*";

std::string_view jobs_of(const CustomerId& customer) {
  return customer.is_provider() ? kOwnJobs : kJobs;
}

}  // namespace

std::string_view label_of(const CustomerId& customer) {
  return customer.is_provider() ? std::string_view() : std::string_view(customer.text());
}

std::vector<std::vector<Matcher>> made_matchers(const CustomerId& customer) {
  const Matcher own{MatchType::kEqual, std::string(kCustomerLabel),
                    std::string(label_of(customer))};
  const std::string job(kJobLabel);
  const std::string jobs(jobs_of(customer));
  return {{own, {MatchType::kRegex, job, jobs}},
          {own,
           {MatchType::kRegex, std::string(kNameLabel), std::string(kNames)},
           {MatchType::kNotRegex, job, jobs}}};
}

std::vector<std::string> made_selectors() {
  return {fmt::format(R"({{{}!="",{}=~"{}"}})", kCustomerLabel, kJobLabel, kJobs),
          fmt::format(R"({{{}!="",{}=~"{}"}})", kCustomerLabel, kNameLabel, kNames)};
}

// By hand, as the expressions above are ours.
bool is_made(const CustomerId& customer, const Labels& labels) {
  if (labels.get(kCustomerLabel) != label_of(customer)) return false;
  const std::string_view job = labels.get(kJobLabel);
  if (job == "customer-agents" || job == "otel-collector") return true;
  if (customer.is_provider() && job.starts_with("vigia-")) return true;
  const std::string_view name = labels.metric_name();
  return name == "ALERTS" || name == "ALERTS_FOR_STATE" || name.starts_with("vigia:");
}

}  // namespace vigia::storage::healing
