/* Ends one process by SIGKILL at a point that a test names, and moves its steady clock: preloaded by cold_shim.py. The file that
   VIGIA_COLD_SHIM names holds one `struct control`; it may be changed at any time. A call is counted where its operation is the one
   asked for and the path of its file matches; with the last one that is asked for the process ends, before the call, behind it or,
   of a write, when half of it is done. A write may be asked for by what the first row of its record of RocksDB's log is.
   Where VIGIA_COLD_SYNCED names a file, each sync notes there how many bytes of which inode are on disk from then on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control {
  int64_t steady_ahead; /* seconds */
  int64_t left;         /* calls until the end; 0: none is waited for */
  int64_t moment;       /* kBefore, kBehind, kTorn */
  char operation[16];
  char pattern[88]; /* fnmatch of the path */
  char first[16];   /* kind_of; "": whatever is written */
};
enum { kBefore, kBehind, kTorn };

static struct control *control;
static int synced = -1;

__attribute__((constructor)) static void start(void) {
  const char *notes = getenv("VIGIA_COLD_SYNCED");
  if (notes) synced = open(notes, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  const char *path = getenv("VIGIA_COLD_SHIM");
  int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *page = mmap(0, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (page != MAP_FAILED) control = page;
  close(file);
}

static int is_armed(const char *operation) {
  return control && __atomic_load_n(&control->left, __ATOMIC_ACQUIRE) > 0 && strcmp(control->operation, operation) == 0;
}

/* A record of RocksDB's log (7 bytes before it, 11 where its file is used again) is a batch: 12 bytes, then rows of a tag, the number
   of the family and the key. Families have their numbers from docs/formats/cold-store.md. */
static const char *kind_of(const unsigned char *bytes, size_t size) {
  enum { kPut = 5, kDelete = 4, kRollup5m = 5, kDue = 8, kUsedAgain = 5 };
  if (size < 32) return "";
  const unsigned char *batch = bytes + (bytes[6] >= kUsedAgain ? 11 : 7);
  const unsigned tag = batch[12], family = batch[13];
  if (tag == kPut && family == kRollup5m) return "windows";
  if (tag == kDelete && family == kDue) return "done";
  if (tag != kPut || family != kDue) return "";
  return memcmp(batch + 15, "\0\0\0\0note", 8) == 0 ? "note" : "mark";
}

/* Counts the call; true where it is the last. */
static int is_last(const char *operation, const char *path) {
  if (!is_armed(operation) || !path || fnmatch(control->pattern, path, 0) != 0) return 0;
  return __atomic_sub_fetch(&control->left, 1, __ATOMIC_ACQ_REL) == 0;
}

static int is_last_of(const char *operation, int file) {
  if (!is_armed(operation)) return 0;
  char name[32], path[512];
  snprintf(name, sizeof name, "/proc/self/fd/%d", file);
  ssize_t length = readlink(name, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_last(operation, path);
}

static void end_now(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

#define AROUND(last, call)                    \
  do {                                        \
    const int ends = (last);                  \
    if (ends && control->moment == kBefore) end_now(); \
    const typeof(call) done = (call);         \
    if (ends) end_now();                      \
    return done;                              \
  } while (0)

#define REAL(name)                                        \
  static typeof(&name) real;                              \
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name)

static void note(unsigned long long inode, long long size) {
  char line[64];
  const int length = snprintf(line, sizeof line, "%llu %lld\n", inode, size);
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "write");
  if (real(synced, line, (size_t)length) != length) abort();
}

/* The number of a file that goes is soon another's. */
static void note_gone(const char *path) {
  struct stat file;
  if (synced >= 0 && lstat(path, &file) == 0 && S_ISREG(file.st_mode) && file.st_nlink == 1) note(file.st_ino, -1);
}

/* What is written while the sync goes on is not counted: of that nothing is promised. */
static int noted(int file, int (*sync)(int)) {
  struct stat before;
  const int is_known = synced >= 0 && fstat(file, &before) == 0 && S_ISREG(before.st_mode);
  const int done = sync(file);
  if (done != 0 || !is_known) return done;
  note(before.st_ino, before.st_size);
  return done;
}
int fdatasync(int file) {
  REAL(fdatasync);
  AROUND(is_last_of("sync", file), noted(file, real));
}
int fsync(int file) {
  REAL(fsync);
  AROUND(is_last_of("sync", file), noted(file, real));
}
static int is_asked_for(const void *bytes, size_t count) {
  return is_armed("write") && (!control->first[0] || strcmp(kind_of(bytes, count), control->first) == 0);
}
ssize_t write(int file, const void *bytes, size_t count) {
  REAL(write);
  const int is_it = is_asked_for(bytes, count) && is_last_of("write", file);
  AROUND(is_it, real(file, bytes, is_it && control->moment == kTorn ? count / 2 : count));
}
ssize_t writev(int file, const struct iovec *parts, int count) {
  REAL(writev);
  AROUND(is_asked_for(0, 0) && is_last_of("write", file), real(file, parts, count));
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
  REAL(pwrite);
  AROUND(is_asked_for(0, 0) && is_last_of("write", file), real(file, bytes, count, at));
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
  REAL(pwrite64);
  AROUND(is_asked_for(0, 0) && is_last_of("write", file), real(file, bytes, count, at));
}
static int named(const char *from, const char *to, int (*real)(const char *, const char *)) {
  note_gone(to);
  return real(from, to);
}
static int gone(const char *path, int (*real)(const char *)) {
  note_gone(path);
  return real(path);
}
int rename(const char *from, const char *to) {
  REAL(rename);
  AROUND(is_last("rename", to), named(from, to, real));
}
int unlink(const char *path) {
  REAL(unlink);
  AROUND(is_last("unlink", path), gone(path, real));
}
int remove(const char *path) {
  REAL(remove);
  AROUND(is_last("unlink", path), gone(path, real));
}

static int64_t ahead(void) { return control ? __atomic_load_n(&control->steady_ahead, __ATOMIC_ACQUIRE) : 0; }

int clock_gettime(clockid_t clock, struct timespec *now) {
  REAL(clock_gettime);
  int result = real(clock, now);
  if (result == 0 && clock == CLOCK_MONOTONIC) now->tv_sec += ahead();
  return result;
}

/* The kernel's clock is not moved: a deadline by ours is earlier by its. */
int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until) {
  REAL(pthread_cond_clockwait);
  struct timespec own = *until;
  if (clock == CLOCK_MONOTONIC && own.tv_sec > ahead()) own.tv_sec -= ahead();
  return real(condition, mutex, clock, &own);
}
