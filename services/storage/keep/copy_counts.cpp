#include "services/storage/keep/copy_counts.hpp"

namespace vigia::storage::keep {

CopyCounts& CopyCounts::operator+=(const CopyCounts& more) {
  rows += more.rows;
  rows_there += more.rows_there;
  rows_behind += more.rows_behind;
  exemplars += more.exemplars;
  spans += more.spans;
  records += more.records;
  repeats += more.repeats;
  refused += more.refused;
  damaged += more.damaged;
  old_rows += more.old_rows;
  old_events += more.old_events;
  old_exemplars += more.old_exemplars;
  unkept += more.unkept;
  unwalkable += more.unwalkable;
  return *this;
}

}  // namespace vigia::storage::keep
