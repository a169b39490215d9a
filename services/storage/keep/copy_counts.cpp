#include "services/storage/keep/copy_counts.hpp"

#include <memory>
#include <unordered_set>
#include <utility>

#include <xxhash.h>

namespace vigia::storage::keep {

CopyCounts& CopyCounts::operator+=(const CopyCounts& more) {
  rows += more.rows;
  rows_there += more.rows_there;
  rows_behind += more.rows_behind;
  windows += more.windows;
  windows_there += more.windows_there;
  windows_kept += more.windows_kept;
  exemplars += more.exemplars;
  metadata += more.metadata;
  spans += more.spans;
  records += more.records;
  repeats += more.repeats;
  refused += more.refused;
  damaged += more.damaged;
  old_rows += more.old_rows;
  old_rollups += more.old_rollups;
  old_events += more.old_events;
  old_exemplars += more.old_exemplars;
  unkept += more.unkept;
  unkept_metadata += more.unkept_metadata;
  days_lost += more.days_lost;
  days_due += more.days_due;
  unwalkable += more.unwalkable;
  return *this;
}

SayDamage said_once(SayDamage say) {
  const auto said = std::make_shared<std::unordered_set<std::uint64_t>>();  // copies share it
  return [said, say = std::move(say)](const std::string& what) {
    if (said->insert(XXH3_64bits(what.data(), what.size())).second) say(what);
  };
}

}  // namespace vigia::storage::keep
