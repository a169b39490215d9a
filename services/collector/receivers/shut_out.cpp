#include "services/collector/receivers/shut_out.hpp"

namespace vigia::collector::receivers {

void ShutOut::note_refused(const CustomerId& customer) {
  const auto now = clock_.steady();
  const std::scoped_lock lock(mutex_);
  auto& refusals = refused_.try_emplace(customer, Refusals{now, now}).first->second;
  if (now - refusals.last > kForgetAfter) refusals.first = now;
  refusals.last = now;
  is_empty_ = false;
}

void ShutOut::note_let_in(const CustomerId& customer) {
  // Asked with each request that is let in: nearly always nobody is shut out, and no lock is taken.
  if (is_empty_) return;
  const std::scoped_lock lock(mutex_);
  refused_.erase(customer);
  is_empty_ = refused_.empty();
}

void ShutOut::show(const service::MetricRegistry::Emit& emit) {
  const auto now = clock_.steady();
  const std::scoped_lock lock(mutex_);
  std::erase_if(refused_, [&](const auto& one) { return now - one.second.last > kForgetAfter; });
  is_empty_ = refused_.empty();
  for (const auto& [customer, refusals] : refused_) {
    if (now - refusals.first < kAfter) continue;
    emit("vigia_memory_shut_out",
         "1 for each customer of which nothing was taken for 20 s for want of memory",
         service::MetricType::kGauge, {{"customer_id", customer.text()}}, 1);
  }
}

}  // namespace vigia::collector::receivers
