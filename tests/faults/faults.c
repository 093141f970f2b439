/* Makes one call to the system fail, or end the process, when it is loaded before libc.

   Only calls about files below a folder are counted, and none before arm() was called in the same
   process: what it starts by exec counts nothing. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { OPEN, WRITE, SYNC, RENAME, MKDIR, UNLINK, TRUNCATE, KINDS };

static char below[4096];
static size_t below_length;
static int wanted_kind = -1, wanted_error, stays;
static long wanted_number;
static volatile int failing;
static long *counts;

/* Where the counts lie that a process and those forked from it share. */
long *shared_counts(void) {
    if (!counts)
        counts = mmap(NULL, sizeof(long) * KINDS, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return counts;
}

/* The number-th call of a kind fails with that error; 0 kills. With `lasting` what follows fails. */
void arm(const char *folder, int kind, long number, int error, int lasting) {
    snprintf(below, sizeof below, "%s", folder);
    below_length = strlen(below);
    wanted_kind = kind;
    wanted_number = number;
    wanted_error = error;
    stays = lasting;
}

static int is_below(const char *path) {
    return strncmp(path, below, below_length) == 0;
}

static int descriptor_is_below(int number) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", number);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return is_below(path);
}

static int named_below(int folder, const char *path) {
    if (!path) return 0;
    if (path[0] == '/') return is_below(path);
    if (folder != AT_FDCWD) return descriptor_is_below(folder);
    char here[4096];
    return getcwd(here, sizeof here) && is_below(here);
}

/* Whether this call is to fail, with errno set; 2 where it is the first that does. */
static int fails(enum kind kind) {
    long number = __atomic_add_fetch(&counts[kind], 1, __ATOMIC_SEQ_CST);
    if (failing && stays && (kind == wanted_kind || (kind == MKDIR && wanted_kind == WRITE))) {
        errno = wanted_error;
        return 1;
    }
    if (kind != wanted_kind || number != wanted_number) return 0;
    failing = 1;
    if (!wanted_error && kind != WRITE) kill(getpid(), SIGKILL);
    errno = wanted_error;
    return 2;
}

#define ARMED (wanted_kind >= 0)
#define REAL(name, result, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) real = (result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

#define OPENS(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name, int, const char *, int, ...); \
        va_list rest; va_start(rest, flags); \
        int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0; \
        va_end(rest); \
        if (ARMED && named_below(AT_FDCWD, path) && fails(OPEN)) return -1; \
        return real(path, flags, mode); \
    }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        REAL(name, int, int, const char *, int, ...); \
        va_list rest; va_start(rest, flags); \
        int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0; \
        va_end(rest); \
        if (ARMED && named_below(folder, path) && fails(OPEN)) return -1; \
        return real(folder, path, flags, mode); \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

DIR *opendir(const char *path) {
    REAL(opendir, DIR *, const char *);
    if (ARMED && named_below(AT_FDCWD, path) && fails(OPEN)) return NULL;
    return real(path);
}

/* A disk that runs full, and a process that is killed, leave half of what was to be written. */
#define WRITES(name, parameters, arguments, size, ...) \
    ssize_t name parameters { \
        REAL(name, ssize_t, __VA_ARGS__); \
        if (ARMED && descriptor_is_below(number)) { \
            int how = fails(WRITE); \
            if (how == 2 && size > 1 && (stays || !wanted_error)) { \
                size /= 2; \
                ssize_t written = real arguments; \
                if (!wanted_error) kill(getpid(), SIGKILL); \
                return written; \
            } \
            if (how && !wanted_error) kill(getpid(), SIGKILL); \
            if (how) return -1; \
        } \
        return real arguments; \
    }
WRITES(write, (int number, const void *data, size_t size), (number, data, size), size,
       int, const void *, size_t)
WRITES(pwrite, (int number, const void *data, size_t size, off_t at), (number, data, size, at),
       size, int, const void *, size_t, off_t)
WRITES(pwrite64, (int number, const void *data, size_t size, off64_t at), (number, data, size, at),
       size, int, const void *, size_t, off64_t)
WRITES(sendfile, (int number, int from, off_t *at, size_t size), (number, from, at, size), size,
       int, int, off_t *, size_t)
WRITES(sendfile64, (int number, int from, off64_t *at, size_t size), (number, from, at, size), size,
       int, int, off64_t *, size_t)

ssize_t copy_file_range(int from, off64_t *at, int number, off64_t *to, size_t size,
                        unsigned int flags) {
    REAL(copy_file_range, ssize_t, int, off64_t *, int, off64_t *, size_t, unsigned int);
    if (ARMED && descriptor_is_below(number) && fails(WRITE)) {
        if (!wanted_error) kill(getpid(), SIGKILL);
        return -1;
    }
    return real(from, at, number, to, size, flags);
}

#define ON_DESCRIPTOR(name, kind, parameters, arguments, ...) \
    int name parameters { \
        REAL(name, int, __VA_ARGS__); \
        if (ARMED && descriptor_is_below(number) && fails(kind)) return -1; \
        return real arguments; \
    }
ON_DESCRIPTOR(fsync, SYNC, (int number), (number), int)
ON_DESCRIPTOR(fdatasync, SYNC, (int number), (number), int)
ON_DESCRIPTOR(ftruncate, TRUNCATE, (int number, off_t size), (number, size), int, off_t)
ON_DESCRIPTOR(ftruncate64, TRUNCATE, (int number, off64_t size), (number, size), int, off64_t)
ON_DESCRIPTOR(posix_fallocate, TRUNCATE, (int number, off_t at, off_t size), (number, at, size),
              int, off_t, off_t)

#define ON_PATH(name, kind, folder, path, parameters, arguments, ...) \
    int name parameters { \
        REAL(name, int, __VA_ARGS__); \
        if (ARMED && named_below(folder, path) && fails(kind)) return -1; \
        return real arguments; \
    }
ON_PATH(rename, RENAME, AT_FDCWD, old, (const char *old, const char *new), (old, new),
        const char *, const char *)
ON_PATH(renameat, RENAME, folder, old, (int folder, const char *old, int to, const char *new),
        (folder, old, to, new), int, const char *, int, const char *)
ON_PATH(link, RENAME, AT_FDCWD, old, (const char *old, const char *new), (old, new),
        const char *, const char *)
ON_PATH(linkat, RENAME, folder, old,
        (int folder, const char *old, int to, const char *new, int flags),
        (folder, old, to, new, flags), int, const char *, int, const char *, int)
ON_PATH(mkdir, MKDIR, AT_FDCWD, path, (const char *path, mode_t mode), (path, mode),
        const char *, mode_t)
ON_PATH(mkdirat, MKDIR, folder, path, (int folder, const char *path, mode_t mode),
        (folder, path, mode), int, const char *, mode_t)
ON_PATH(unlink, UNLINK, AT_FDCWD, path, (const char *path), (path), const char *)
ON_PATH(unlinkat, UNLINK, folder, path, (int folder, const char *path, int flags),
        (folder, path, flags), int, const char *, int)
ON_PATH(rmdir, UNLINK, AT_FDCWD, path, (const char *path), (path), const char *)
