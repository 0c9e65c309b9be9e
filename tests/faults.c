/* Makes one chosen call of the C library fail, or that one and all that follow: loaded by
 * LD_PRELOAD, controlled through ctypes by fault_injection.py.
 *
 * A call counts only while armed, and only if its caller's code lies in a watched file: the
 * extension, and libstdc++, through which the extension's `operator new`, threads and streams go.
 * What the interpreter, NumPy and the C library do for themselves is left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum Kind { kMemory = 1, kFiles = 2, kThreads = 4 };

enum { kMaxRanges = 64 };
static struct {
  uintptr_t from, to;
} ranges[kMaxRanges];
static int range_count;

static atomic_int armed; /* a set of Kind, 0 while disarmed */
/* In memory that children of a fork share. */
static struct {
  atomic_long calls, failures;
}* counts;
static long first_failing;
static int is_sticky;
static int fault_errno; /* 0: reads and writes do a part of their work, the rest succeeds */

/* operator new calls malloc: one allocation, and one call. */
static __thread int within_new;

static int add_ranges(struct dl_phdr_info* info, size_t size, void* part) {
  (void)size;
  if (info->dlpi_name == NULL || strstr(info->dlpi_name, part) == NULL) return 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)* header = &info->dlpi_phdr[i];
    if (header->p_type != PT_LOAD || (header->p_flags & PF_X) == 0) continue;
    if (range_count == kMaxRanges) return 1;
    ranges[range_count].from = info->dlpi_addr + header->p_vaddr;
    ranges[range_count++].to = info->dlpi_addr + header->p_vaddr + header->p_memsz;
  }
  return 0;
}

__attribute__((constructor)) static void share_counts(void) {
  counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (counts == MAP_FAILED) abort();
}

/* Watches the loaded files whose path contains `part`; returns how many code segments are watched. */
int faults_watch(const char* part) {
  dl_iterate_phdr(add_ranges, (void*)(uintptr_t)part);
  return range_count;
}

/* From now on counts calls of these kinds and lets the n-th (from 1; 0: none) fail with `error`,
 * and, if sticky, those after it. */
void faults_arm(int kinds, long n, int sticky, int error) {
  first_failing = n;
  is_sticky = sticky;
  fault_errno = error;
  atomic_store(&counts->calls, 0);
  atomic_store(&counts->failures, 0);
  atomic_store(&armed, kinds);
}

/* Returns how many calls were counted. */
long faults_disarm(void) {
  atomic_store(&armed, 0);
  return atomic_load(&counts->calls);
}

long faults_failures(void) { return atomic_load(&counts->failures); }

static int fails(enum Kind kind, const void* caller) {
  if ((atomic_load_explicit(&armed, memory_order_relaxed) & kind) == 0 || within_new) return 0;
  const uintptr_t at = (uintptr_t)caller;
  for (int i = 0; i < range_count; ++i) {
    if (at < ranges[i].from || at >= ranges[i].to) continue;
    const long n = atomic_fetch_add(&counts->calls, 1) + 1;
    if (first_failing == 0 || (is_sticky ? n < first_failing : n != first_failing)) return 0;
    atomic_fetch_add(&counts->failures, 1);
    if (fault_errno != 0) errno = fault_errno;
    return 1;
  }
  return 0;
}

#define FAILS(kind) fails(kind, __builtin_return_address(0))

/* The next definition of a function: the C library's. */
#define REAL(name)                                                     \
  static __typeof__(&name) real;                                       \
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, #name)

/* An int function with a failing form, by name, parameters and arguments. */
#define WRAP(name, parameters, arguments)                  \
  int name parameters {                                    \
    REAL(name);                                            \
    if (FAILS(kFiles) && fault_errno != 0) return -1;      \
    return real arguments;                                 \
  }

/* -- memory ------------------------------------------------------------------------------------ */

/* Forwarded to the next library, which may be a sanitizer's. */
void* malloc(size_t size) {
  REAL(malloc);
  return FAILS(kMemory) ? NULL : real(size);
}
void* calloc(size_t n, size_t size) {
  REAL(calloc);
  return FAILS(kMemory) ? NULL : real(n, size);
}
void* realloc(void* old, size_t size) {
  REAL(realloc);
  return FAILS(kMemory) ? NULL : real(old, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  REAL(aligned_alloc);
  return FAILS(kMemory) ? NULL : real(alignment, size);
}
int posix_memalign(void** out, size_t alignment, size_t size) {
  REAL(posix_memalign);
  return FAILS(kMemory) ? ENOMEM : real(out, alignment, size);
}

/* operator new in its forms, as C++ names them. A sanitizer has its own, which do not call malloc. */
void _ZSt17__throw_bad_allocv(void);

#define WRAP_NEW(name, parameters, arguments, on_fault)    \
  void* name parameters;                                   \
  void* name parameters {                                  \
    REAL(name);                                            \
    if (FAILS(kMemory)) on_fault;                          \
    within_new = 1;                                        \
    void* got = real arguments;                            \
    within_new = 0;                                        \
    return got;                                            \
  }
#define THROW _ZSt17__throw_bad_allocv()
WRAP_NEW(_Znwm, (size_t size), (size), THROW)
WRAP_NEW(_Znam, (size_t size), (size), THROW)
WRAP_NEW(_ZnwmSt11align_val_t, (size_t size, size_t alignment), (size, alignment), THROW)
WRAP_NEW(_ZnamSt11align_val_t, (size_t size, size_t alignment), (size, alignment), THROW)
WRAP_NEW(_ZnwmRKSt9nothrow_t, (size_t size, const void* tag), (size, tag), return NULL)
WRAP_NEW(_ZnamRKSt9nothrow_t, (size_t size, const void* tag), (size, tag), return NULL)

void* mmap(void* address, size_t size, int protection, int flags, int descriptor, off_t place) {
  REAL(mmap);
  if (FAILS(descriptor < 0 ? kMemory : kFiles)) return MAP_FAILED;
  return real(address, size, protection, flags, descriptor, place);
}

/* -- threads ----------------------------------------------------------------------------------- */

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) {
  REAL(pthread_create);
  if (FAILS(kThreads)) return fault_errno != 0 ? fault_errno : EAGAIN;
  return real(thread, attributes, start, argument);
}

/* -- files ------------------------------------------------------------------------------------- */

static mode_t mode_of(int flags, va_list list) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
}

#define WRAP_OPEN(name, parameters, ...)                   \
  int name parameters {                                    \
    REAL(name);                                            \
    va_list list;                                          \
    va_start(list, flags);                                 \
    const mode_t mode = mode_of(flags, list);              \
    va_end(list);                                          \
    if (FAILS(kFiles) && fault_errno != 0) return -1;      \
    return real(__VA_ARGS__, flags, mode);                 \
  }
WRAP_OPEN(open, (const char* path, int flags, ...), path)
WRAP_OPEN(open64, (const char* path, int flags, ...), path)
WRAP_OPEN(openat, (int folder, const char* path, int flags, ...), folder, path)
WRAP_OPEN(openat64, (int folder, const char* path, int flags, ...), folder, path)

/* With fault_errno 0, about half of the bytes. */
#define WRAP_TRANSFER(name, parameters, size, ...)         \
  ssize_t name parameters {                                \
    REAL(name);                                            \
    if (FAILS(kFiles)) {                                   \
      if (fault_errno != 0) return -1;                     \
      size = (size + 1) / 2;                               \
    }                                                      \
    return real(__VA_ARGS__);                              \
  }
WRAP_TRANSFER(read, (int file, void* to, size_t size), size, file, to, size)
WRAP_TRANSFER(write, (int file, const void* from, size_t size), size, file, from, size)
WRAP_TRANSFER(pread, (int file, void* to, size_t size, off_t place), size, file, to, size, place)
WRAP_TRANSFER(pread64, (int file, void* to, size_t size, off64_t place), size, file, to, size, place)
WRAP_TRANSFER(pwrite, (int file, const void* from, size_t size, off_t place), size, file, from, size,
              place)
WRAP_TRANSFER(pwrite64, (int file, const void* from, size_t size, off64_t place), size, file, from,
              size, place)

WRAP(fsync, (int file), (file))
WRAP(fdatasync, (int file), (file))
WRAP(ftruncate, (int file, off_t size), (file, size))
WRAP(ftruncate64, (int file, off64_t size), (file, size))
WRAP(fallocate, (int file, int mode, off_t from, off_t size), (file, mode, from, size))
WRAP(fchmod, (int file, mode_t mode), (file, mode))
WRAP(fchown, (int file, uid_t user, gid_t group), (file, user, group))
WRAP(faccessat, (int folder, const char* path, int mode, int flags), (folder, path, mode, flags))
WRAP(stat, (const char* path, struct stat* out), (path, out))
WRAP(lstat, (const char* path, struct stat* out), (path, out))
WRAP(fstat, (int file, struct stat* out), (file, out))
WRAP(fstatat, (int folder, const char* path, struct stat* out, int flags),
     (folder, path, out, flags))
WRAP(rename, (const char* from, const char* to), (from, to))
WRAP(renameat, (int a, const char* from, int b, const char* to), (a, from, b, to))
WRAP(renameat2, (int a, const char* from, int b, const char* to, unsigned flags),
     (a, from, b, to, flags))
WRAP(link, (const char* from, const char* to), (from, to))
WRAP(linkat, (int a, const char* from, int b, const char* to, int flags), (a, from, b, to, flags))
WRAP(unlink, (const char* path), (path))
WRAP(unlinkat, (int folder, const char* path, int flags), (folder, path, flags))

/* Closes in any case, as Linux does. */
int close(int file) {
  REAL(close);
  const int fault = FAILS(kFiles) && fault_errno != 0;
  const int result = real(file);
  if (!fault) return result;
  errno = fault_errno;
  return -1;
}

FILE* fopen(const char* path, const char* mode) {
  REAL(fopen);
  return FAILS(kFiles) && fault_errno != 0 ? NULL : real(path, mode);
}
FILE* fopen64(const char* path, const char* mode) {
  REAL(fopen64);
  return FAILS(kFiles) && fault_errno != 0 ? NULL : real(path, mode);
}

char* realpath(const char* path, char* out) {
  REAL(realpath);
  return FAILS(kFiles) && fault_errno != 0 ? NULL : real(path, out);
}
