// The contract of names and hashes of series, on every store.
#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/testing/contract_fixture.hpp"

namespace vigia::storage::store {
namespace {

using testing::ElementsAre;

template <typename Store>
class NamesContract : public ContractFixture<Store> {};
TYPED_TEST_SUITE(NamesContract, Stores, );

// As Prometheus 3 takes them; what is another's in every letter but one is another's.
TYPED_TEST(NamesContract, NamesAreAnyText) {
  const std::vector<std::string> names = {"\x01long:0123456789abcdef0123456789abcdef",
                                          "\"",
                                          "a",
                                          "a\x01",
                                          "a b",
                                          "a.b",
                                          "a=b",
                                          "h\xc3\xbc",
                                          "\xf0\x9f\x9f\xa2"};
  for (const std::string& name : names) {
    const Labels labels = Labels::from({{"__name__", name}, {name, "of " + name}});
    const NewSeries made = this->resolve(this->a_, labels);
    EXPECT_EQ(this->resolve(this->a_, labels).id, made.id) << name;
    EXPECT_THAT(this->catalog().metrics_of(this->a_, {made.id}).value(), ElementsAre(name));
    const SeriesKey key{name, made.id};
    this->put(this->a_, {this->chunk(key, kStart, "data of " + name)});
  }
  auto in_order = names;
  EXPECT_EQ(this->texts(this->a_, "__name__"), in_order);
  in_order.push_back("__name__");
  std::sort(in_order.begin(), in_order.end());
  EXPECT_EQ(this->texts(this->a_, ""), in_order);
  for (const std::string& name : names) {
    EXPECT_THAT(this->texts(this->a_, name), ElementsAre("of " + name));
    const auto found = this->select(this->a_, {{MatchType::kEqual, "__name__", name}});
    ASSERT_EQ(found.size(), 1U) << name;
    EXPECT_EQ(found[0].labels.metric_name(), name);
    EXPECT_EQ(found[0].labels.get(name), "of " + name);
    EXPECT_EQ(this->select(this->a_, {{MatchType::kNotEqual, name, ""}}).size(), 1U) << name;
    const SeriesKey key{name, found[0].id};
    EXPECT_THAT(this->read(this->a_, {key}, this->all_), ElementsAre("data of " + name));
  }
  EXPECT_EQ(this->select(this->a_).size(), names.size());
}

// Whoever asks by the bytes of labels does not look again whose customer_id stands in them: what is
// known under one's seed must be nobody else's.
TYPED_TEST(NamesContract, EachCustomerHasASeedOfHisOwnThatStays) {
  std::map<std::uint64_t, CustomerId> seeds;
  std::vector<CustomerId> customers = {CustomerId::provider()};
  for (int i = 0; i < 50; ++i) {
    customers.push_back(CustomerId::parse("cliente-" + std::to_string(i)).value());
  }
  for (const CustomerId& customer : customers) {
    const std::uint64_t seed = this->catalog().seed_of(customer).value();
    EXPECT_TRUE(seeds.emplace(seed, customer).second) << customer.text();
    EXPECT_EQ(this->catalog().seed_of(customer).value(), seed);
  }
  // The same bytes, of each of them another series.
  const Labels labels = this->labels("m", "1");
  std::set<std::uint64_t> ids;
  for (const CustomerId& customer : customers) ids.insert(this->resolve(customer, labels).id.value);
  EXPECT_EQ(ids.size(), customers.size());
  for (const auto& [seed, customer] : seeds) {
    const auto known = this->catalog().find(hash_labels(seed, to_string(labels)));
    ASSERT_TRUE(known.has_value());
    EXPECT_EQ(known->id, this->resolve(customer, labels).id) << customer.text();
  }
}

}  // namespace
}  // namespace vigia::storage::store
