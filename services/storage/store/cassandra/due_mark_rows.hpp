// Rows of due_days on their way into the cluster: what lies in one partition goes together.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "services/storage/store/cassandra/requests.hpp"
#include "services/storage/store/due_days.hpp"

namespace vigia::storage::store::cassandra {

/// Of the marks of a customer, by the highest of the 63 bits of an id, so that they follow each
/// other as ids do. Ten million series have 1 GB of them.
inline constexpr std::int32_t kMarkParts = 16;
std::int32_t mark_part_of(SeriesId series);

/// A row: of one run and kind.
struct DueMark {
  DuePlace place;
  std::int64_t writer = 0;
  std::int64_t stamp = 0;  ///< its write time
  DueKind kind = DueKind::kPut;
};

/// Up to 64 rows a request, all of one partition, which a node takes as one change of it: each row
/// alone costs it as much as a whole block of chunks. Thread contract: any thread once prepared.
class DueMarkRows {
 public:
  static constexpr std::array<std::size_t, 4> kTogether{64, 16, 4, 1};

  /// The session must outlive it.
  explicit DueMarkRows(vigia::cassandra::Session& session) : session_(session) {}
  Result<void> prepare(Preparation& preparation);

  /// Durable when it returns; after an error some may be. The more of those that follow each other
  /// lie in one part, the fewer requests they are.
  Result<void> write(const CustomerId& customer, std::span<const DueMark> marks);
  /// Each as it was read: at the same write time the deletion is what counts. As write.
  Result<void> remove(const CustomerId& customer, std::span<const DueMark> marks);

 private:
  using Statements = std::array<Statement, kTogether.size()>;
  using AddCells = void (*)(vigia::cassandra::BoundCells&, const CustomerId&, const DueMark&);
  Result<void> send(const Statements& statements, AddCells add_cells, const CustomerId& customer,
                    std::span<const DueMark> marks);

  vigia::cassandra::Session& session_;
  Statements add_;
  Statements delete_;
};

}  // namespace vigia::storage::store::cassandra
