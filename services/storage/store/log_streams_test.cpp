// The stream of a resource is what matchers see of it.
#include "services/storage/store/log_streams.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "services/storage/store/stream_selector.hpp"

namespace vigia::storage::store {
namespace {

using Attributes = std::vector<std::pair<std::string, std::string>>;

std::string resource_of(const Attributes& attributes) {
  std::string bytes;
  protozero::pbf_writer resource(bytes);
  for (const auto& [key, value] : attributes) {
    protozero::pbf_writer attribute(resource, 1);
    attribute.add_string(1, key);
    protozero::pbf_writer any(attribute, 2);
    any.add_string(1, value);
  }
  return bytes;
}

// As the collector reads it: a matcher of the own id finds all that was taken.
TEST(LogStreams, TheCustomerIsNamedByItsOwnKeyAloneAndByNoEmptyName) {
  const Attributes all[] = {{{"customer.id", "a"}},
                            {{"customer.id", "a"}, {"customer.id", ""}},
                            {{"customer.id", ""}, {"customer.id", "a"}},
                            {{"customer.id", "a"}, {"customer_id", "b"}},
                            {{"customer_id", "b"}, {"customer.id", "a"}}};
  for (const Attributes& attributes : all) {
    std::vector<Label> labels;
    append_stream_labels(labels, resource_of(attributes));
    EXPECT_EQ(Labels::from(std::move(labels)).get("customer_id"), "a");
  }
}

TEST(LogStreams, AStreamIsWhatMatchersSeeOfItsLabels) {
  const Attributes all[] = {
      {},
      {{"service.name", "shop"}, {"node.id", "n1"}, {"environment", "live"}, {"host", "h"}},
      {{"service_name", "bank"}, {"node_id", "n2"}},
      {{"service.name", "shop"}, {"service_name", "bank"}},
      {{"service_name", "bank"}, {"service.name", "shop"}},
      {{"service.name", "shop"}, {"host", "h"}, {"service.name", ""}},
      {{"environment", ""}, {"environment", "live"}, {"customer.id", "a"}}};
  for (const Attributes& attributes : all) {
    const std::string resource = resource_of(attributes);
    std::vector<Label> labels;
    append_stream_labels(labels, resource);
    const Labels sorted = Labels::from(std::move(labels));
    const LogStream stream = stream_of(resource);
    EXPECT_EQ(stream.service_name, sorted.get("service_name"));
    EXPECT_EQ(stream.node_id, sorted.get("node_id"));
    EXPECT_EQ(stream.environment, sorted.get("environment"));
  }
  EXPECT_EQ(stream_of(resource_of(all[1])), (LogStream{"shop", "n1", "live"}));
}

}  // namespace
}  // namespace vigia::storage::store
