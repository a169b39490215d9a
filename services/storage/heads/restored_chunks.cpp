#include "services/storage/heads/restored_chunks.hpp"

#include <algorithm>
#include <map>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::heads {
namespace {

using quarantine::QuarantinedChunk;

constexpr std::size_t kAtOnce = 64;  // between two syncs
// So many chunks of a customer are tried that a store refuses for now, which a store that is away
// does with all: each was refused by itself before it came here, and says nothing of the others.
constexpr int kRefusalsMax = 8;

class Restoring {
 public:
  Restoring(quarantine::ChunkQuarantine& quarantine, StoredSeries& store)
      : quarantine_(quarantine), store_(store) {}

  RestoreCounts run() {
    for (const std::string& name : quarantine_.names()) {
      restore(name);
      if (done_.size() >= kAtOnce) let_go();
    }
    let_go();
    return counts_;
  }

 private:
  // `left` until it is known to be something else.
  void restore(const std::string& name) {
    ++counts_.left;
    auto chunk = quarantine_.read(name);
    if (!chunk) return leave(name, chunk.error());
    counts_.series_max = std::max(counts_.series_max, chunk->row.series);
    counts_.customer_max = std::max(counts_.customer_max, chunk->number);
    int& refusals = refusals_[chunk->number];
    if (refusals >= kRefusalsMax) return;
    Result<void> put = fail(ErrorCode::kInternal, "storage: a fault of this program");
    contain_faults("storage: giving a chunk of the quarantine to the store",
                   [&] { put = give(*chunk); });
    if (put) {
      done_.push_back(name);
      return;
    }
    if (is_retryable(put.error())) ++refusals;
    service::log_warn("a chunk stays in quarantine",
                      {{"file", name}, {"why", put.error().message}});
  }

  void leave(const std::string& name, const Error& error) {
    service::log_error("a chunk in quarantine cannot be read, the others are",
                       {{"file", name}, {"why", error.message}});
    if (error.code != ErrorCode::kCorrupt) return;
    quarantine_.mark_damaged(name);
    --counts_.left;
    ++counts_.damaged;
  }

  // No number is given out here: after damage of the index a new one could be that of samples in
  // the write-ahead log. One that nobody has is put as those are.
  Result<void> give(QuarantinedChunk& chunk) {
    const auto owner = store_.id_of(chunk.number);
    if (owner.has_value() && chunk.customer.has_value() && *owner != *chunk.customer) {
      return fail(ErrorCode::kInvalid, "it is of another customer than has its number here");
    }
    const auto there = find_place(chunk.number, chunk);
    if (!there) return forward(there);
    if (*there) return {};
    store::ClosedChunk closed{"", std::move(chunk.row), chunk.resolution};
    return store_.put(chunk.number, {&closed, 1});
  }

  // True where the store has it. Since it was set aside its samples may have come anew, with others
  // behind them, and been stored as a row that begins where this one does: a row of the same key
  // would be replaced, and what only that one has be lost.
  Result<bool> find_place(customers::CustomerNumber number, QuarantinedChunk& chunk) {
    store::ChunkRow& row = chunk.row;
    const auto rows = store_.read(number, row.series, row.first_ms, row.first_ms);
    if (!rows && is_retryable(rows.error()) && rows.error().code != ErrorCode::kOverLimit) {
      return forward(rows);
    }
    const auto is_taken_by = [&](const store::ChunkRow& other) {
      return other.first_ms == row.first_ms && other.encoding == row.encoding &&
             (other.version == row.version || other.version == chunk.taken_ns);
    };
    bool is_taken = !rows;  // damaged ones beside it: who knows what they are
    for (const store::ChunkRow& other : rows.value_or(std::vector<store::ChunkRow>())) {
      if (!is_taken_by(other)) continue;
      if (other.data == row.data) return true;
      is_taken = true;
    }
    if (is_taken) row.version = chunk.taken_ns;
    return false;
  }

  void let_go() {
    if (done_.empty()) return;
    auto gone = store_.sync();
    if (gone) gone = quarantine_.remove(done_);
    if (gone) {
      counts_.restored += done_.size();
      counts_.left -= done_.size();
    } else {
      service::log_warn(
          "chunks of the quarantine are in the store and stay here, which is harmless",
          {{"why", gone.error().message}});
    }
    done_.clear();
  }

  quarantine::ChunkQuarantine& quarantine_;
  StoredSeries& store_;
  RestoreCounts counts_;
  std::vector<std::string> done_;  // the store has them, once it is synced
  std::map<customers::CustomerNumber, int> refusals_;
};

}  // namespace

RestoreCounts restore_chunks(quarantine::ChunkQuarantine& quarantine, StoredSeries& store) {
  const RestoreCounts counts = Restoring(quarantine, store).run();
  if (counts.restored + counts.left + counts.damaged > 0) {
    service::log_info("chunks in quarantine were given to the store",
                      {{"stored", std::to_string(counts.restored)},
                       {"left", std::to_string(counts.left)},
                       {"damaged", std::to_string(counts.damaged)},
                       {"folder", quarantine.directory()}});
  }
  return counts;
}

}  // namespace vigia::storage::heads
