// How the process' heap treats memory that was freed.
#pragma once

#include <cstdint>

namespace vigia::service {

/// For programs through which bodies of some hundred KiB flow all the time. glibc's own limits give
/// such a body's pages back to the system when it is freed, and the next body faults every one of
/// them in again, which costs more than looking at what is in it. Blocks of more than 4 MiB go back
/// at once. `memory_limit_bytes` is what the process should stay below, 0: nothing; each arena of
/// the heap keeps freed pages among what is in use, so there are the fewer of them the less that
/// is, not eight a core. Call it before threads start; return_freed_pages gives back what was kept.
void keep_freed_pages(std::uint64_t memory_limit_bytes);

/// For programs through which large blocks flow now and then and small ones all the time: blocks of
/// a MiB and more go back to the system when they are freed, whatever was freed before (glibc's own
/// limit grows with every such block, up to 32 MiB), and few arenas keep what is small. Call it
/// before threads start.
void return_large_blocks();

/// Thread contract: any thread; allocations of others wait for it, some milliseconds at most.
void return_freed_pages();

}  // namespace vigia::service
