// Parcels to a destination that answers as it is told to, and what the observer was told.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "services/collector/delivery/parcel_delivery.hpp"

namespace vigia::collector::delivery {

using Kind = Answer::Kind;

/// A destination that answers at once, as it is told to.
class ScriptedDestination final : public MessageTransport {
 public:
  void send(const CustomerId& customer, Signal /*signal*/, std::string_view message,
            Task<void(Answer)> done) override {
    requests.push_back(customer.text() + ":" + std::string(message));
    Answer answer = script(customer.text(), std::string(message));
    if (answer.kind == Kind::kTaken) taken += message;
    done(std::move(answer));
  }
  std::function<Answer(const std::string& customer, const std::string& message)> script =
      [](const auto&, const auto&) { return Answer{}; };
  std::vector<std::string> requests;
  std::string taken;
};

class Notes final : public DeliveryObserver {
 public:
  void on_refused(const Parcel& parcel, std::size_t unit, const std::string& why) override {
    refused.push_back(std::string(parcel.run(unit, unit + 1)) + ": " + why);
  }
  void on_rejected(const Parcel& /*parcel*/, std::size_t /*first*/, std::size_t /*last*/,
                   std::uint64_t count, const std::string& /*why*/) override {
    rejected += count;
  }
  void on_set_aside(const Parcel& parcel, std::size_t first, std::size_t last, Aside aside,
                    const std::string& /*why*/) override {
    auto& units = aside == Aside::kSuspect ? suspects : aside == Aside::kSlow ? slow : left;
    units += parcel.run(first, last);
    if (aside == Aside::kTooNew) too_new += parcel.run(first, last);
  }
  void on_answer(const Parcel& /*parcel*/, std::size_t /*first*/, std::size_t /*last*/,
                 const Answer& answer, Duration /*took*/) override {
    ++answers;
    if (answer.kind == Kind::kRefused) ++refusals;
  }
  bool may_be_refused(const CustomerId& customer) override { return may_be(customer.text()); }
  std::string_view kind_of(const Parcel& parcel, std::size_t unit) override {
    return has_kinds ? parcel.run(unit, unit + 1).substr(0, 1) : std::string_view();
  }
  bool others_wait(const std::set<CustomerId>& /*in_run*/) override { return has_others_behind; }
  bool go_on() override { return may_go_on(); }
  bool has_others_behind = false;
  bool has_kinds = false;  // a unit's first letter is its kind
  std::vector<std::string> refused;
  std::string left, slow, suspects;  // set aside
  std::string too_new;               // of what is left
  std::uint64_t rejected = 0;
  int answers = 0;
  int refusals = 0;
  std::function<bool(const std::string& customer)> may_be = [](const auto&) { return true; };
  std::function<bool()> may_go_on = [] { return true; };
};

/// A parcel of one-letter units.
inline Parcel parcel_of(std::string_view letters, std::string_view customer = "a") {
  Parcel parcel{.customer = *CustomerId::parse(customer)};
  for (const char letter : letters) {
    parcel.units.push_back({.begin = parcel.message.size()});
    parcel.message += letter;
  }
  return parcel;
}

/// Units "1000;", "1001;", …, each of its number's time.
inline Parcel numbered(int count) {
  Parcel parcel{.customer = *CustomerId::parse("a")};
  for (int number = 1000; number < 1000 + count; ++number) {
    parcel.units.push_back({.begin = parcel.message.size(), .timestamp_ms = number});
    parcel.message += std::to_string(number) + ";";
  }
  return parcel;
}

/// As a store that takes nothing at or before that time.
inline std::function<Answer(const std::string&, const std::string&)> refusing_until(int timestamp) {
  return [timestamp](const auto&, const std::string& message) {
    for (std::size_t i = 0; i < message.size(); i += 5) {
      if (std::stoi(message.substr(i, 4)) <= timestamp)
        return Answer{Kind::kRefused, "too old sample", std::nullopt, 0, true};
    }
    return Answer{};
  };
}

inline constexpr std::int64_t kHourMs = 3'600'000;

inline Answer refuse_what_holds(char letter, const std::string& message,
                                Kind kind = Kind::kRefused) {
  if (message.find(letter) == std::string::npos) return {};
  return {kind, "bad"};
}

class DeliveryTest : public ::testing::Test {
 protected:
  DeliveryTest() {
    settings_.retry_initial = std::chrono::milliseconds(1);
    settings_.retry_max = std::chrono::milliseconds(4);
    time_.resume(clock_.wall_ms());
  }
  bool run(const std::vector<Parcel>& parcels) {
    ParcelDelivery delivery(settings_, destination_, clock_);
    return delivery.run(parcels, notes_);
  }
  /// With probes, which are data and whose message is "probe".
  bool run_probing(const std::vector<Parcel>& parcels) {
    const auto evidence = std::make_shared<Evidence>();
    Prober prober({Signal::kMetrics, [](std::int64_t) { return std::string("probe"); }, true},
                  destination_, evidence, clock_, time_);
    ParcelDelivery delivery(settings_, destination_, clock_, evidence, &prober);
    return delivery.run(parcels, notes_);
  }
  DeliverySettings settings_;
  SystemClock clock_;
  clock::ConfirmedTime time_{clock_};
  ScriptedDestination destination_;
  Notes notes_;
};

}  // namespace vigia::collector::delivery
