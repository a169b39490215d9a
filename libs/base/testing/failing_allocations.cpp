#include "libs/base/testing/failing_allocations.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

thread_local int left_until_failure = -1;
thread_local int left_to_fail = 0;
thread_local bool has_failed = false;

bool fails_now() {
  if (left_to_fail == 0 || left_until_failure-- > 0) return false;
  left_until_failure = 0;
  --left_to_fail;
  has_failed = true;
  return true;
}

}  // namespace

namespace vigia {

void fail_allocation(int number, int count) {
  left_until_failure = number;
  left_to_fail = number < 0 ? 0 : count;
  has_failed = false;
}

bool has_allocation_failed() { return has_failed; }

}  // namespace vigia

// All of the program's, where they are not aligned.
void* operator new(std::size_t bytes) {
  void* made = fails_now() ? nullptr : std::malloc(bytes > 0 ? bytes : 1);
  if (made == nullptr) throw std::bad_alloc();
  return made;
}
void* operator new(std::size_t bytes, const std::nothrow_t& /*nothrow*/) noexcept {
  return fails_now() ? nullptr : std::malloc(bytes > 0 ? bytes : 1);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*bytes*/) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t& /*nothrow*/) noexcept {
  std::free(memory);
}
