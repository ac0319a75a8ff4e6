#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "metrics.h"

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a word is changed without a lock");

enum {
	SLOTS = 1024, /* a pool has up to 999 workers */
	SLOT_SIZE = 8192,
	PATH_SIZE = 256,
	USAGE_INTERVAL = 5000000, /* microseconds */
};

enum state { STATE_FREE, STATE_IDLE, STATE_BUSY };

/* A worker's part of the file.  Whole pages, so whole cache lines. */
union slot {
	struct {
		uint64_t state; /* an enum state */
		uint64_t memory;
		uint64_t descriptors;
		uint64_t revocations;
		uint64_t revocations_at_ms;
		struct metrics_counts counts;
	};
	char size[SLOT_SIZE];
};

_Static_assert(sizeof(union slot) == SLOT_SIZE, "what is counted fits into a slot");

/* All that decides which word means what. */
#define TEXT(name, a, b)     a b ";"
#define ROUTE(name, a, b, c) a b c ";"
#define STATUS(number)       #number ";"
#define QUOTE(...)           #__VA_ARGS__
#define NUMBERS(...)         QUOTE(__VA_ARGS__)
static const char layout[] = METRICS_COUNTERS(TEXT) METRICS_TIMERS(TEXT) METRICS_ROUTES(ROUTE)
    METRICS_STATUSES(STATUS) NUMBERS(METRICS_BOUNDS) "layout 1";

static union slot nobody; /* counts before metrics_open() and after it failed */
static union slot *mine = &nobody;
static int lock_fd = -1; /* holds the lock of ${mine} */
static int64_t usage_at; /* when memory and descriptors were looked at */

/* ---- words ---- */

static void add(uint64_t *word, uint64_t n)
{
	__atomic_fetch_add(word, n, __ATOMIC_RELAXED);
}

static void set(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static void observe(struct metrics_histogram *histogram, int64_t micros)
{
	static const int64_t bounds[] = {METRICS_BOUNDS};
	int i = 0;

	_Static_assert(sizeof(bounds) / sizeof(bounds[0]) == METRICS_BUCKETS - 1, "buckets");
	while (i < METRICS_BUCKETS - 1 && micros > bounds[i])
		i++;
	add(&histogram->buckets[i], 1);
	add(&histogram->micros, micros < 0 ? 0 : (uint64_t)micros);
}

/* ---- this process ---- */

/* Bytes of this process that are in memory; 0 if that cannot be known. */
static uint64_t memory(void)
{
	char text[128];
	const char *resident = NULL;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	resident = strchr(text, ' ');
	return resident == NULL ? 0
	                        : strtoull(resident, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Descriptors of this process; 0 if that cannot be known. */
static uint64_t descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (folder == NULL)
		return 0;
	while (readdir(folder) != NULL)
		n++;
	closedir(folder);
	return n < 3 ? 0 : n - 3; /* `.`, `..` and the folder's own */
}

/* Look at this process, if it has a slot and that was not done for a while. */
static void look(void)
{
	int64_t now = clock_steady_us();

	if (lock_fd < 0 || (usage_at != 0 && now - usage_at < USAGE_INTERVAL))
		return;
	usage_at = now;
	set(&mine->memory, memory());
	set(&mine->descriptors, descriptors());
}

/* ---- the file ---- */

/*
 * The path of the file in ${folder}.  Its name holds a hash of the layout (FNV-1a): programs of two
 * versions side by side never take one's words for the other's.
 */
static enum err path_of(const char *folder, char path[PATH_SIZE])
{
	uint64_t hash = UINT64_C(14695981039346656037);
	int n = 0;

	for (const char *c = layout; *c != '\0'; c++)
		hash = (hash ^ (uint8_t)*c) * UINT64_C(1099511628211);
	n = snprintf(path, PATH_SIZE, "%s/counters-%016llx", folder, (unsigned long long)hash);
	if (n > 0 && n < PATH_SIZE)
		return ERR_OK;
	errno = ENAMETOOLONG;
	return ERR_UNAVAILABLE;
}

static struct flock lock_of(int number)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

	lock.l_start = (off_t)number * SLOT_SIZE;
	return lock;
}

/* The number of a slot that is ours from here on; if all are taken, of one that we share. */
static int claim(int fd)
{
	for (int i = 0; i < SLOTS; i++) {
		struct flock lock = lock_of(i);

		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return i;
	}
	return (int)getpid() % SLOTS;
}

/* Map the slot ${number}. */
static enum err map(int fd, int number, union slot **ret)
{
	off_t at = (off_t)number * SLOT_SIZE;
	void *slot = NULL;

	/* All of it now: a page that tmpfs cannot give later would be a SIGBUS. */
	errno = posix_fallocate(fd, at, SLOT_SIZE);
	if (errno != 0)
		return ERR_UNAVAILABLE;
	slot = mmap(NULL, SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at);
	if (slot == MAP_FAILED)
		return ERR_UNAVAILABLE;
	*ret = slot;
	return ERR_OK;
}

enum err metrics_open(const char *folder)
{
	char path[PATH_SIZE];
	struct stat status;
	union slot *slot = NULL;
	enum err err = path_of(folder, path);
	int fd = -1;

	if (err != ERR_OK)
		return err;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR | S_IRGRP);
	if (fd < 0)
		return ERR_UNAVAILABLE;
	err = ERR_MALFORMED;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    status.st_size <= (off_t)SLOTS * SLOT_SIZE && status.st_size % SLOT_SIZE == 0)
		err = map(fd, claim(fd), &slot);
	if (err != ERR_OK) {
		close(fd);
		return err;
	}
	metrics_close();
	mine = slot;
	usage_at = 0;
	lock_fd = fd;
	if (__atomic_exchange_n(&slot->state, STATE_IDLE, __ATOMIC_RELAXED) != STATE_FREE)
		add(&slot->counts.restarts, 1);
	look();
	return ERR_OK;
}

void metrics_close(void)
{
	if (lock_fd < 0)
		return;
	set(&mine->state, STATE_FREE);
	munmap(mine, SLOT_SIZE);
	mine = &nobody;
	close(lock_fd);
	lock_fd = -1;
}

/* ---- counting ---- */

void metrics_add(enum metrics_counter counter, uint64_t n)
{
	add(&mine->counts.counters[counter], n);
}

void metrics_since(enum metrics_timer timer, int64_t start)
{
	observe(&mine->counts.timers[timer], clock_steady_us() - start);
}

static enum metrics_route route_of(const struct request *req)
{
#define ROW(name, word, method, route) {word, method},
	static const struct {
		const char *word, *method;
	} rows[] = {METRICS_ROUTES(ROW)};
#undef ROW

	for (int i = 0; i < ROUTE_OTHER; i++) {
		if (strcmp(req->route, rows[i].word) == 0 &&
		    strcmp(req->method, rows[i].method) == 0)
			return (enum metrics_route)i;
	}
	return ROUTE_OTHER;
}

static enum metrics_status status_of(int status)
{
#define ROW(number) number,
	static const int numbers[] = {METRICS_STATUSES(ROW)};
#undef ROW

	for (int i = 0; i < STATUS_0; i++) {
		if (status == numbers[i])
			return (enum metrics_status)i;
	}
	return STATUS_0;
}

void metrics_begin(void)
{
	set(&mine->state, STATE_BUSY);
}

void metrics_end(const struct request *req, const struct response *resp, int64_t micros)
{
	enum metrics_route route = route_of(req);

	/* One that comes once more is counted then. */
	if (resp->status != RESPONSE_REPEAT) {
		add(&mine->counts.requests[route][status_of(resp->status)], 1);
		observe(&mine->counts.durations[route], micros);
	}
	look();
	set(&mine->state, STATE_IDLE);
}

void metrics_revocations(uint64_t n, int64_t at_ms)
{
	set(&mine->revocations, n);
	set(&mine->revocations_at_ms, (uint64_t)at_ms);
	look();
}

/* ---- reading ---- */

void metrics_sum(struct metrics_counts *to, const struct metrics_counts *from)
{
	uint64_t *into = (uint64_t *)to;
	const uint64_t *words = (const uint64_t *)from;

	_Static_assert(sizeof(*to) % sizeof(*into) == 0, "counts are words");
	for (size_t i = 0; i < sizeof(*to) / sizeof(*into); i++)
		into[i] += words[i];
}

static bool is_alive(int fd, int number)
{
	struct flock lock = lock_of(number);

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static void take(struct metrics_pool *pool, const union slot *slot, bool alive)
{
	metrics_sum(&pool->counts, &slot->counts);
	if (slot->revocations_at_ms > pool->revocations_at_ms) {
		pool->revocations_at_ms = slot->revocations_at_ms;
		pool->revocations = slot->revocations;
	}
	if (!alive)
		return;
	pool->workers++;
	pool->busy += slot->state == STATE_BUSY;
	pool->memory += slot->memory;
	pool->descriptors += slot->descriptors;
}

/* With read(2), not mapped: a file that shrinks meanwhile would be a SIGBUS. */
enum err metrics_read(const char *folder, struct metrics_pool *ret)
{
	char path[PATH_SIZE];
	struct metrics_pool pool = {0};
	struct stat status;
	union slot slot;
	int fd = -1;

	if (path_of(folder, path) != ERR_OK)
		return ERR_NOT_FOUND;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return ERR_NOT_FOUND;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return ERR_NOT_FOUND;
	}
	for (int i = 0; i < SLOTS; i++) {
		if (pread(fd, &slot, sizeof(slot), (off_t)i * SLOT_SIZE) != (ssize_t)sizeof(slot))
			break;
		take(&pool, &slot, is_alive(fd, i));
	}
	close(fd);
	*ret = pool;
	return ERR_OK;
}
