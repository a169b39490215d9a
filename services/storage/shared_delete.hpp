// `vigia-storage delete` of a store that several instances share.
#pragma once

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "services/storage/settings.hpp"
#include "services/storage/store_kinds.hpp"

namespace vigia::storage {

/// Prints what there is, and with is_meant takes it out and prints the proof. The exit code, as
/// delete_customer's. REQUIRES: kind.open_removal. kUnavailable where an instance lives, a process
/// holds the folder, or not all machines answer.
Result<int> delete_shared(const Settings& settings, const StoreKind& kind,
                          const CustomerId& customer, bool is_meant);

}  // namespace vigia::storage
