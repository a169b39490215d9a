// Samples of the collector's own, which it writes to a destination beside what it delivers.
#pragma once

#include <functional>

#include "services/collector/delivery/parcel_delivery.hpp"

namespace vigia::collector::marks {

/// One try, one request at a time.
delivery::DeliverySettings own_samples_lane();
/// True where the destination has taken all of the parcel; an empty one is taken.
bool write_own_samples(delivery::ParcelDelivery& delivery, delivery::Parcel parcel,
                       const std::function<bool()>& go_on);

}  // namespace vigia::collector::marks
