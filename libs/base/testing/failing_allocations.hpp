// Memory that ends, for tests of what a throw leaves behind.
#pragma once

namespace vigia {

/// A test program that links vigia_failing_allocations has its operator new. The
/// allocation of that number, counted from 0, by this thread and from now on fails with
/// std::bad_alloc, `count` of them in a row, and those after them go well; below 0 none fails.
void fail_allocation(int number, int count = 1);
/// Whether the one that was asked for has failed.
bool has_allocation_failed();

}  // namespace vigia
