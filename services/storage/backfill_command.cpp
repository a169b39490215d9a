#include "services/storage/backfill_command.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "libs/base/rfc3339.hpp"
#include "services/storage/command_progress.hpp"
#include "services/storage/keep/backfill.hpp"
#include "services/storage/keep/time_word.hpp"
#include "services/storage/settings.hpp"

namespace vigia::storage {
namespace {

void show_counts(TimestampMs done_ms, const keep::BackfillCounts& counts) {
  show_progress(fmt::format("up to {}: {} samples read, {} stored",
                            format_rfc3339(done_ms).value_or(""), counts.read, counts.stored));
}

std::string without_slashes(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

// Whoever listens everywhere is spoken to here.
std::string own_url(const Settings& settings) {
  std::string address = settings.listen;
  for (const std::string_view any : {"0.0.0.0:", "[::]:", ":"}) {
    if (!address.starts_with(any)) continue;
    address = "127.0.0.1:" + address.substr(any.size());
    break;
  }
  return (settings.tls.has_value() ? "https://" : "http://") + address;
}

Result<keep::BackfillJob> read_job(const service::CommandWords& words) {
  const auto file = words.config();
  if (!file) return forward(file);
  const auto settings = read_settings(*file);
  if (!settings) return forward(settings);
  keep::BackfillJob job;
  job.prometheus = without_slashes(words.text("--prometheus"));
  job.storage =
      words.has("--storage") ? without_slashes(words.text("--storage")) : own_url(*settings);
  job.token = settings->internal_token;
  job.state_file = words.text("--state");
  if (words.has("--ca")) job.tls.emplace().ca_file = words.text("--ca");
  if (words.has("--customer")) {
    auto customer = CustomerId::parse(words.text("--customer"));
    if (!customer) return tl::unexpected<Error>(with_context("--customer", customer.error()));
    job.customer = *std::move(customer);
  }
  const auto from = keep::read_time("--from", words.text("--from"));
  if (!from) return forward(from);
  const auto to = keep::read_time("--to", words.text("--to"));
  if (!to) return forward(to);
  if (*to < *from) return fail(ErrorCode::kInvalid, "--to lies before --from");
  job.from_ms = *from;
  job.to_ms = *to;
  return job;
}

}  // namespace

Result<int> backfill(const service::CommandWords& words) {
  const auto job = read_job(words);
  if (!job) return forward(job);
  const auto client = net::Client::create({});
  const SystemClock clock;
  const auto counts = keep::backfill(*job, *client, clock, show_counts);
  end_progress();
  if (!counts) return forward(counts);
  fmt::print("{} samples and histograms were read from {}, {} of them are in {}\n", counts->read,
             job->prometheus, counts->stored, job->storage);
  if (counts->refusals == 0 && counts->stored == counts->read) return 0;
  fmt::print("{} were refused, in {} requests; the first: {}\n",
             counts->read - std::min(counts->read, counts->stored), counts->refusals,
             counts->first_refusal);
  return 1;
}

}  // namespace vigia::storage
