#include "bench/fleet/node_request.hpp"

#include <bit>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <protozero/pbf_writer.hpp>

#include "libs/base/check.hpp"

namespace vigia::bench {
namespace {

using protozero::pbf_writer;

constexpr std::size_t kPointsOfAMetric = 25;
// Found again in the template: neither occurs in it by itself.
constexpr std::uint64_t kTimeMark = 0x7A5CC3E1B2D4F697U;
constexpr std::uint64_t kValueMark = 0x7B1D2E3F4A5C6D7EU;
constexpr std::uint64_t kStart_ns = 1'700'000'000'000'000'000U;

std::string node_name(std::size_t node) { return fmt::format("node-{:06}", node); }

void add_text(pbf_writer& owner, std::uint32_t field, const std::string& key,
              const std::string& text) {
  pbf_writer entry(owner, field);
  entry.add_string(1, key);
  pbf_writer value(entry, 2);
  value.add_string(1, text);
}

void add_point(pbf_writer& data, std::size_t metric, std::size_t number, bool is_counter) {
  pbf_writer point(data, 1);
  if (is_counter) point.add_fixed64(2, kStart_ns);
  point.add_fixed64(3, kTimeMark);
  point.add_double(4, std::bit_cast<double>(kValueMark));
  add_text(point, 7, "device", fmt::format("device{}", number));
  add_text(point, 7, "state", metric % 2 == 0 ? "used" : "free");
  add_text(point, 7, "mode", metric % 3 == 0 ? "read" : "write");
}

void add_metric(pbf_writer& scope, std::size_t metric, std::size_t points) {
  const bool is_counter = metric % 2 == 1;
  pbf_writer one(scope, 2);
  one.add_string(1, fmt::format("system.fleet.measure.{}", metric));
  one.add_string(3, "By");
  pbf_writer data(one, is_counter ? 7U : 5U);
  for (std::size_t i = 0; i < points; ++i) add_point(data, metric, i, is_counter);
  if (!is_counter) return;
  data.add_enum(2, 2);  // cumulative
  data.add_bool(3, true);
}

std::string make_template(std::size_t series) {
  std::string body;
  pbf_writer request(body);
  pbf_writer group(request, 1);
  {
    pbf_writer resource(group, 1);
    add_text(resource, 1, "customer.id", customer_name(0));
    add_text(resource, 1, "node.id", node_name(0));
    add_text(resource, 1, "service.name", "vigia-agent");
    add_text(resource, 1, "environment", "production");
  }
  {
    pbf_writer scope(group, 2);
    for (std::size_t at = 0; at < series; at += kPointsOfAMetric) {
      add_metric(scope, at / kPointsOfAMetric, std::min(kPointsOfAMetric, series - at));
    }
  }
  group.commit();
  return body;
}

std::vector<std::size_t> places(const std::string& body, std::string_view wanted) {
  std::vector<std::size_t> found;
  for (std::size_t at = body.find(wanted); at != std::string::npos;
       at = body.find(wanted, at + wanted.size())) {
    found.push_back(at);
  }
  return found;
}

std::vector<std::size_t> places(const std::string& body, std::uint64_t mark) {
  char bytes[sizeof mark];
  std::memcpy(bytes, &mark, sizeof mark);
  return places(body, std::string_view(bytes, sizeof bytes));
}

}  // namespace

std::string customer_name(std::size_t customer) { return fmt::format("customer-{:04}", customer); }

NodeRequest::NodeRequest(std::size_t series)
    : series_(series),
      body_(make_template(series)),
      times_(places(body_, kTimeMark)),
      values_(places(body_, kValueMark)),
      nodes_(places(body_, node_name(0))),
      customers_(places(body_, customer_name(0))) {
  CHECK(times_.size() == series && values_.size() == series);
  CHECK(nodes_.size() == 1 && customers_.size() == 1);
}

void NodeRequest::set_time(std::uint64_t time_ns) {
  const auto seconds = static_cast<double>((time_ns - kStart_ns) / 1'000'000'000U);
  for (std::size_t i = 0; i < times_.size(); ++i) {
    std::memcpy(&body_[times_[i]], &time_ns, sizeof time_ns);
    const double value = seconds * static_cast<double>(1 + i % 97);
    std::memcpy(&body_[values_[i]], &value, sizeof value);
  }
}

void NodeRequest::append_message(std::size_t node, std::size_t customer, std::string& out) {
  const std::string name = node_name(node);
  const std::string owner = customer_name(customer);
  body_.replace(nodes_[0], name.size(), name);
  body_.replace(customers_[0], owner.size(), owner);
  out += '\0';
  const std::uint32_t size = htonl(static_cast<std::uint32_t>(body_.size()));
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out += body_;
}

}  // namespace vigia::bench
