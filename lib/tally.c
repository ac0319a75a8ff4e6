#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto.h"
#include "tally.h"

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a word is changed without a lock");

static const char magic[8] = {'I', 'G', 'T', 'A', 'L', 'L', 'Y', '1'};

enum {
	WAYS = 8, /* words that are looked through for a key: a cache line */
	SETS = TALLY_KEYS / WAYS,
	TAG_BITS = 24,
	COUNT_BITS = 24,
	PATH_SIZE = 256,
};

/* A word: 16 bits of the window's number, 24 of the key's hash, 24 of the count.  0 is free. */
typedef _Atomic uint64_t word;

struct file {
	char magic[8];
	uint8_t salt[CRYPTO_SHA256_LEN];
	uint8_t zero[24];
	word words[SETS][WAYS];
};

_Static_assert(sizeof(struct file) == TALLY_SIZE, "the file's size is stated");
_Static_assert((1 << COUNT_BITS) - 1 == TALLY_MAX, "the largest count is stated");

struct tally {
	struct file *file;
	int64_t window;
};

/* ---- the file ---- */

static enum err reason(void)
{
	return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_UNAVAILABLE;
}

static enum err write_header(int fd)
{
	const struct file *file = NULL;
	char header[offsetof(struct file, words)] = {0};
	enum err err = crypto_random(header + offsetof(struct file, salt), sizeof(file->salt));

	if (err != ERR_OK)
		return err;
	memcpy(header, magic, sizeof(magic));
	if (write(fd, header, sizeof(header)) != (ssize_t)sizeof(header))
		return reason();
	/* All of it now: a page that tmpfs cannot give later would be a SIGBUS. */
	errno = posix_fallocate(fd, 0, TALLY_SIZE);
	return errno == 0 ? ERR_OK : reason();
}

/* The folder of ${path}. */
static enum err folder_of(const char *path, char folder[PATH_SIZE])
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path || slash - path >= PATH_SIZE) {
		errno = EINVAL;
		return ERR_UNAVAILABLE;
	}
	(void)snprintf(folder, PATH_SIZE, "%.*s", (int)(slash - path), path);
	return ERR_OK;
}

/*
 * Make the file, unless another worker does at this moment.  It has no name until it is complete,
 * so that nobody sees half of it and a killed worker leaves nothing behind.
 */
static enum err make(const char *path)
{
	char folder[PATH_SIZE];
	char self[32];
	int fd = -1;
	enum err err = folder_of(path, folder);

	if (err != ERR_OK)
		return err;
	fd = open(folder, O_RDWR | O_TMPFILE | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return reason();
	err = write_header(fd);
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (err == ERR_OK && linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) != 0 &&
	    errno != EEXIST)
		err = reason();
	close(fd);
	return err;
}

static enum err map(int fd, struct file **ret)
{
	struct stat status;
	void *at = MAP_FAILED;

	if (fstat(fd, &status) != 0)
		return ERR_UNAVAILABLE;
	if (!S_ISREG(status.st_mode) || status.st_size != TALLY_SIZE)
		return ERR_MALFORMED;
	at = mmap(NULL, TALLY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return ERR_UNAVAILABLE;
	if (memcmp(at, magic, sizeof(magic)) != 0) {
		munmap(at, TALLY_SIZE);
		return ERR_MALFORMED;
	}
	*ret = at;
	return ERR_OK;
}

enum err tally_open(const char *path, int64_t window, struct tally **ret)
{
	struct tally *tally = NULL;
	enum err err = ERR_OK;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT) {
		err = make(path);
		if (err != ERR_OK)
			return err;
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	}
	if (fd < 0)
		return reason();
	tally = malloc(sizeof(*tally));
	if (tally == NULL) {
		err = ERR_NOMEM;
		goto out;
	}
	tally->window = window;
	err = map(fd, &tally->file);
	if (err == ERR_OK)
		*ret = tally;
	else
		free(tally);
out:
	close(fd);
	return err;
}

void tally_close(struct tally *tally)
{
	if (tally == NULL)
		return;
	munmap(tally->file, TALLY_SIZE);
	free(tally);
}

/* ---- counting ---- */

/* Where a key is counted: the words to look through, and a word of it without a count. */
struct place {
	word *set;
	uint64_t mark;
};

static enum err find(const struct tally *tally, const void *key, size_t len, int64_t now,
                     struct place *ret)
{
	uint8_t mac[CRYPTO_SHA256_LEN];
	uint64_t hash = 0;
	uint64_t window = (uint64_t)(now / tally->window) & 0xffff;
	enum err err =
	    crypto_hmac_sha256(tally->file->salt, sizeof(tally->file->salt), key, len, mac);

	if (err != ERR_OK)
		return err;
	memcpy(&hash, mac, sizeof(hash));
	ret->set = tally->file->words[hash % SETS];
	ret->mark = window << (TAG_BITS + COUNT_BITS) | hash >> (64 - TAG_BITS) << COUNT_BITS;
	return ERR_OK;
}

static int64_t count_of(uint64_t value)
{
	return (int64_t)(value & TALLY_MAX);
}

/* Whether a word of ${value} counts the key and the window of ${mark}. */
static bool counts(uint64_t value, uint64_t mark)
{
	return value >> COUNT_BITS == mark >> COUNT_BITS && count_of(value) > 0;
}

/* Whether a word of ${value} counts nothing in the window of ${mark}. */
static bool is_free(uint64_t value, uint64_t mark)
{
	return value >> (TAG_BITS + COUNT_BITS) != mark >> (TAG_BITS + COUNT_BITS) ||
	       count_of(value) == 0;
}

static int64_t saturated(int64_t a, int64_t b)
{
	return b > TALLY_MAX - a ? TALLY_MAX : a + b;
}

/* The sum of what is counted for ${place}: two workers may have begun a word each. */
static int64_t sum(const struct place *place)
{
	int64_t total = 0;

	for (int i = 0; i < WAYS; i++) {
		uint64_t value = atomic_load(&place->set[i]);

		if (counts(value, place->mark))
			total = saturated(total, count_of(value));
	}
	return total;
}

/* The word that counts ${place}, else a free one, else the lowest; *${ret_value} is what it held.
 */
static word *choose(const struct place *place, uint64_t *ret_value)
{
	word *best = NULL;
	int64_t lowest = INT64_MAX;

	for (int i = 0; i < WAYS; i++) {
		uint64_t value = atomic_load(&place->set[i]);
		int64_t rank = is_free(value, place->mark) ? 0 : count_of(value);

		if (counts(value, place->mark)) {
			*ret_value = value;
			return &place->set[i];
		}
		if (rank < lowest) {
			lowest = rank;
			best = &place->set[i];
			*ret_value = value;
		}
	}
	return best;
}

enum err tally_get(const struct tally *tally, const void *key, size_t len, int64_t now,
                   int64_t *ret)
{
	struct place place;
	enum err err = find(tally, key, len, now, &place);

	if (err == ERR_OK)
		*ret = sum(&place);
	return err;
}

enum err tally_add(struct tally *tally, const void *key, size_t len, int64_t n, int64_t now,
                   int64_t *ret)
{
	struct place place;
	uint64_t old = 0;
	word *chosen = NULL;
	int64_t count = 0;
	enum err err = find(tally, key, len, now, &place);

	if (err != ERR_OK)
		return err;
	do {
		chosen = choose(&place, &old);
		count = saturated(counts(old, place.mark) ? count_of(old) : 0, n);
	} while (!atomic_compare_exchange_strong(chosen, &old, place.mark | (uint64_t)count));
	*ret = sum(&place);
	return ERR_OK;
}

enum err tally_clear(struct tally *tally, const void *key, size_t len, int64_t now)
{
	struct place place;
	enum err err = find(tally, key, len, now, &place);

	if (err != ERR_OK)
		return err;
	for (int i = 0; i < WAYS; i++) {
		uint64_t value = atomic_load(&place.set[i]);

		while (counts(value, place.mark) &&
		       !atomic_compare_exchange_strong(&place.set[i], &value, 0))
			;
	}
	return ERR_OK;
}

int64_t tally_left(const struct tally *tally, int64_t now)
{
	return tally->window - now % tally->window;
}
