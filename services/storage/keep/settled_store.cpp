#include "services/storage/keep/settled_store.hpp"

#include "libs/disk_log/file_system.hpp"
#include "services/storage/customers/record_times.hpp"
#include "services/storage/heads/head_set.hpp"
#include "services/storage/heads/restored_chunks.hpp"
#include "services/storage/heads/stored_series.hpp"
#include "services/storage/ingest/ingester.hpp"
#include "services/storage/quarantine/chunk_quarantine.hpp"

namespace vigia::storage::keep {
namespace {

constexpr std::size_t kOpenMax = 512U << 20U;    // bytes of open series; past it they are closed
constexpr std::size_t kClosedMax = 64U << 20U;   // of chunks that wait for the store
constexpr std::size_t kPendingMax = 64U << 20U;  // nothing comes in

// Where roll-ups were made, days are marked: what is put unmarked would never be rolled up.
Result<void> mark_as_before(store::ColdStore& cold) {
  store::DueDays* due_days = cold.chunks().due_days();
  if (due_days == nullptr) return {};
  const auto note = due_days->note();
  if (!note) return forward(note);
  due_days->set_marking(!note->empty());
  return {};
}

Result<void> put_open_ones(instance::StoreInstance& instance, const std::string& directory,
                           const Clock& clock) {
  quarantine::ChunkQuarantine aside({directory + "/quarantine/chunks"}, disk_log::system_files(),
                                    clock);
  heads::StoredSeries stored(instance.store().chunks(), instance.numbers(),
                             &instance.store().catalog(), &aside);
  const heads::RestoreCounts restored = heads::restore_chunks(aside, stored);
  customers::RecordTimes times;
  heads::HeadSet heads(stored, clock, heads::HeadSet::Memory{kOpenMax, kClosedMax});
  ingest::IngesterSettings settings;
  settings.log_directory = directory + "/wal";
  settings.pending_bytes_max = kPendingMax;
  settings.late_bytes_max = kPendingMax;
  auto ingester =
      ingest::Ingester::open(std::move(settings), {heads, instance.store().chunks(), times, clock});
  if (!ingester) return forward(ingester);
  instance.note_used(std::max(restored.series_max, (*ingester)->replayed_series_max()),
                     std::max(restored.customer_max, (*ingester)->replayed_customer_max()));
  (*ingester)->stop();
  return (*ingester)->close_all();
}

}  // namespace

Result<std::unique_ptr<instance::StoreInstance>> settle(
    std::unique_ptr<instance::StoreInstance> opened, const std::string& directory,
    const Clock& clock, const store::CustomerRetention* retention) {
  if (auto loaded = opened->load(); !loaded) return forward(loaded);
  if (retention != nullptr) opened->use_retention(*retention);
  if (auto marked = mark_as_before(opened->store()); !marked) return forward(marked);
  if (auto put = put_open_ones(*opened, directory, clock); !put) return forward(put);
  return opened;
}

}  // namespace vigia::storage::keep
