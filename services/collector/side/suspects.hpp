// Units that have failed alone: how they are kept and chosen, so that a series that fails for ever
// takes little room and holds up nothing of its customer's.
#pragma once

#include <cstddef>

#include "libs/base/duration.hpp"
#include "services/collector/delivery/packer.hpp"
#include "services/collector/side/side_queue.hpp"

namespace vigia::collector::side {

/// Makes one packed entry of the small ones of that customer and signal, a series' values together,
/// once there are SideQueue::kMergeEntries. It keeps the age of the youngest in it, which is at
/// most kAgeParts of give_up_after younger than the others. What cannot be read stays as it is.
void merge_suspects(SideQueue& queue, const delivery::Packer& packer, const SideHead& of,
                    Duration give_up_after);

/// The unit that the n-th try of an entry begins with: of another kind each time, so that none
/// waits for what stands before it in the entry. Where units have no kind, another unit.
std::size_t nth_kind(const delivery::Packer& packer, const delivery::Parcel& parcel, int n);

inline constexpr int kAgeParts = 8;

}  // namespace vigia::collector::side
