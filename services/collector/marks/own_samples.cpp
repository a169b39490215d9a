#include "services/collector/marks/own_samples.hpp"

#include <utility>

namespace vigia::collector::marks {
namespace {

/// Notes whether all was taken.
class Outcome final : public delivery::DeliveryObserver {
 public:
  explicit Outcome(std::function<bool()> go_on) : go_on_(std::move(go_on)) {}
  void on_refused(const delivery::Parcel& /*parcel*/, std::size_t /*unit*/,
                  const std::string& /*why*/) override {
    is_taken = false;
  }
  void on_rejected(const delivery::Parcel& /*parcel*/, std::size_t /*first*/, std::size_t /*last*/,
                   std::uint64_t /*count*/, const std::string& /*why*/) override {
    is_taken = false;
  }
  void on_set_aside(const delivery::Parcel& /*parcel*/, std::size_t /*first*/, std::size_t /*last*/,
                    delivery::Aside /*aside*/, const std::string& /*why*/) override {
    is_taken = false;
  }
  void on_answer(const delivery::Parcel& /*parcel*/, std::size_t /*first*/, std::size_t /*last*/,
                 const delivery::Answer& /*answer*/, Duration /*took*/) override {}
  bool go_on() override { return go_on_(); }
  bool is_taken = true;

 private:
  std::function<bool()> go_on_;
};

}  // namespace

delivery::DeliverySettings own_samples_lane() {
  delivery::DeliverySettings settings;
  settings.lane = delivery::Lane::kOnce;
  settings.in_flight_max = 1;
  return settings;
}

bool write_own_samples(delivery::ParcelDelivery& delivery, delivery::Parcel parcel,
                       const std::function<bool()>& go_on) {
  if (parcel.units.empty()) return true;
  Outcome outcome(go_on);
  return delivery.run({std::move(parcel)}, outcome) && outcome.is_taken;
}

}  // namespace vigia::collector::marks
