// Whether a service makes roll-ups goes by its file.
#include <gtest/gtest.h>

#include "services/storage/testing/memory_instance.hpp"
#include "services/storage/testing/service_fixture.hpp"

namespace vigia::storage {
namespace {

MemoryInstance* last_opened = nullptr;

class ServiceRollupsTest : public ServiceFixture {};

// Whoever wants no roll-ups pays nothing for them.
TEST_F(ServiceRollupsTest, WithoutRollUpsNothingIsMarkedNorNoted) {
  const StoreKind kinds[] = {
      {"memory",
       [](const StoreSettings& store) -> const std::string& { return store.rocksdb.directory; },
       [](const StoreSettings&, const Clock&,
          std::size_t) -> Result<std::unique_ptr<instance::StoreInstance>> {
         auto opened = std::make_unique<MemoryInstance>();
         last_opened = opened.get();
         return opened;
       },
       nullptr}};
  settings_.store.kind = "memory";
  const CustomerId customer = CustomerId::parse("cliente-a").value();
  for (const bool is_made : {false, true}) {
    service_.reset();
    settings_.store.rocksdb.directory = folder_.path() + (is_made ? "/made" : "/not made");
    for (retention::RollupKeep* keep :
         {&settings_.retention.rollup_5m, &settings_.retention.rollup_1h,
          &settings_.retention.rollup_1d}) {
      keep->is_made = is_made;
    }
    service_ = Service::start(settings_, kinds).value();
    store::ChunkStore& chunks = last_opened->store().chunks();
    const store::ClosedChunk chunk{
        "m", {{1}, now_, now_, store::kInOrder, store::Encoding::kFloats, "data"}};
    ASSERT_TRUE(store::put_now(chunks, customer, {&chunk, 1}).has_value());
    EXPECT_EQ(chunks.due_days()->due(customer, {}, 9).value().size(), is_made ? 1U : 0U);
    EXPECT_EQ(chunks.due_days()->note().value().empty(), !is_made);
    EXPECT_EQ(service_metric("vigia_storage_rollup_days_due") >= 0, is_made);
  }
}

}  // namespace
}  // namespace vigia::storage
