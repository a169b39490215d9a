// Whether a snapshot may follow the one in force: a database that lost its end, or was restored,
// must not take customers away unseen.
#pragma once

#include <string>

#include "libs/tenancy/directory.hpp"

namespace vigia::tenancy {

/// Why `next` is not to be taken over `current` at once; "" where it is. Doubted is
/// - a revision of the same database that goes back,
/// - more than a tenth of the customers, or all, missing at once. A customer whose removal the same
///   database has counted since (customers_removed) is none of them, so that what a person removes
///   takes effect at once.
/// A person's confirmation (confirmed_revision above the current revision) ends every doubt.
std::string doubt_of(const Directory::ReadDocument& current, const Directory::ReadDocument& next);

/// Customers of `current` that `next` lacks, without those whose removal was counted.
std::size_t unexplained_losses(const Directory::ReadDocument& current,
                               const Directory::ReadDocument& next);

}  // namespace vigia::tenancy
