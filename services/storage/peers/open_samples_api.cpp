#include "services/storage/peers/open_samples_api.hpp"

#include <memory>
#include <utility>

#include <fmt/format.h>

#include "libs/net/media_type.hpp"
#include "libs/net/status.hpp"
#include "services/storage/api/fence_header.hpp"
#include "services/storage/read/head_rows.hpp"

namespace vigia::storage::peers {
namespace {

constexpr int kUnsupportedType = 415;
// A text that grows is there twice while it is copied.
constexpr std::size_t kGrowth = 2;

net::Response refused(int status, std::string why) {
  net::Response response;
  response.status = status;
  response.headers.add("content-type", "text/plain; charset=utf-8");
  response.body = std::move(why);
  return response;
}

// Between instances the provider's own series have his name; from others nobody may give it.
Result<read::Fence> read_asker(const net::Headers& headers) {
  const bool is_once = headers.count(api::kCustomerHeader) == 1;
  const CustomerId provider = CustomerId::provider();
  if (is_once && headers.get(api::kCustomerHeader) == provider.text()) return read::Fence(provider);
  return api::read_fence(headers);
}

net::Response refused(const Error& error) {
  return refused(net::http_status(error.code), error.message + "\n");
}

}  // namespace

net::Response OpenSamplesApi::handle(const net::Request& request) const {
  if (net::MediaType(request.headers.get("content-type")).type() != kOpenContentType) {
    return refused(kUnsupportedType, fmt::format("this version takes {}\n", kOpenContentType));
  }
  const auto fence = read_asker(request.headers);
  if (!fence) return refused(fence.error());
  const auto asked = parse_question(request.body);
  if (!asked) return refused(asked.error());
  if (!asked->series.empty() && !fence->has_value()) {
    return refused({ErrorCode::kInvalid, "X-Vigia-Customer is missing"});
  }
  const CustomerId customer = fence->value_or(CustomerId::provider());
  const auto memory = std::make_shared<lanes::AnswerMemory>(answers_, customer.text());
  // Before its rows are read: under a number that comes later they may have been another's to take.
  const auto number = own_number_();
  auto body = rows_of(customer, *asked, *memory);
  if (!body) return refused(body.error());
  net::Response response;
  response.headers.add("content-type", kOpenContentType);
  if (number.has_value()) response.headers.add(kInstanceHeader, std::to_string(*number));
  response.body = *std::move(body);
  response.held = memory;
  return response;
}

Result<std::string> OpenSamplesApi::rows_of(const CustomerId& customer, const OpenAsked& asked,
                                            lanes::AnswerMemory& memory) const {
  std::string body;
  std::size_t answered = 0;
  std::size_t looked = 0;
  for (const store::SeriesId series : asked.series) {
    if (body.size() >= kAnswerBytes || looked >= kLookedBytes) break;
    auto added = add_series(customer, series, asked, memory, body);
    if (!added && answered == 0) return tl::unexpected<Error>(added.error());
    if (!added) break;  // what there is room for; of the rest it is asked again
    ++answered;
    looked += *added;
  }
  append_answered(body, answered);
  return body;
}

Result<std::size_t> OpenSamplesApi::add_series(const CustomerId& customer, store::SeriesId series,
                                               const OpenAsked& asked, lanes::AnswerMemory& memory,
                                               std::string& body) const {
  heads::HeadView head = heads_.read(series);
  if (head.customer.value == 0 || series_.id_of(head.customer) != customer) return 0U;
  const std::size_t before = body.size();
  const std::size_t looked = read::memory_of(head);
  {
    const lanes::ScratchMemory scratch(memory);
    if (auto fits = memory.add(looked); !fits) return forward(fits);
    for (const store::ChunkRow& row : read::rows_of(series, std::move(head))) {
      if (row.first_ms > asked.to_ms || row.last_ms < asked.from_ms) continue;
      append_row(body, row);
    }
  }
  const auto fits = memory.add(kGrowth * (body.size() - before));
  if (fits) return looked;
  body.resize(before);
  return forward(fits);
}

}  // namespace vigia::storage::peers
