#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "table.h"

static const char magic[8] = {'I', 'G', 'R', 'E', 'V', 'O', 'C', '1'};

/* The file's own form: all numbers are little endian. */
struct header {
	char magic[8];
	uint64_t synced_at;
	uint64_t count;
	uint64_t zero;
};

struct record {
	char account[ACCOUNT_ID_LEN];
	uint64_t generation;
	uint64_t until;
};

_Static_assert(sizeof(struct header) == 32, "the header has 32 bytes");
_Static_assert(sizeof(struct record) == 32, "an entry has 32 bytes");

enum { RECORDS_AT_ONCE = 512 };

struct table {
	char *path;
	struct stat seen; /* the file that is mapped */
	void *map;        /* ${size} bytes of it; MAP_FAILED if there is no good file */
	size_t size;
	int64_t synced_at;           /* milliseconds since 1970 */
	const struct record *record; /* ${count} of them, in ${map} */
	size_t count;
};

/* ---- writing ---- */

static int compare_entries(const void *a, const void *b)
{
	const struct table_entry *left = a;
	const struct table_entry *right = b;

	return memcmp(left->account, right->account, ACCOUNT_ID_LEN);
}

static bool account_ok(const char account[ACCOUNT_ID_LEN])
{
	for (size_t i = 0; i < ACCOUNT_ID_LEN; i++) {
		char c = account[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'v'))
			return false;
	}
	return true;
}

/* Whether ${n} sorted ${entries} may be written. */
static bool entries_ok(const struct table_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!account_ok(entries[i].account) || entries[i].generation < 0 ||
		    entries[i].until < 0)
			return false;
		if (i > 0 && compare_entries(&entries[i - 1], &entries[i]) == 0)
			return false;
	}
	return true;
}

static enum err write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_UNAVAILABLE;
		at += n;
		len -= (size_t)n;
	}
	return ERR_OK;
}

static enum err write_records(int fd, const struct table_entry *entries, size_t n)
{
	struct record records[RECORDS_AT_ONCE];
	enum err err = ERR_OK;

	for (size_t done = 0; done < n && err == ERR_OK;) {
		size_t some = n - done < RECORDS_AT_ONCE ? n - done : RECORDS_AT_ONCE;

		for (size_t i = 0; i < some; i++) {
			const struct table_entry *entry = &entries[done + i];

			memcpy(records[i].account, entry->account, ACCOUNT_ID_LEN);
			records[i].generation = htole64((uint64_t)entry->generation);
			records[i].until = htole64((uint64_t)entry->until);
		}
		err = write_all(fd, records, some * sizeof(records[0]));
		done += some;
	}
	return err;
}

/* Write the whole file into ${fd}, readable for all whatever the umask. */
static enum err write_file(int fd, const struct table_entry *entries, size_t n,
                           int64_t synced_at_ms)
{
	struct header header = {.synced_at = htole64((uint64_t)synced_at_ms), .count = htole64(n)};
	enum err err = ERR_OK;

	memcpy(header.magic, magic, sizeof(magic));
	if (fchmod(fd, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH) != 0)
		return ERR_UNAVAILABLE;
	err = write_all(fd, &header, sizeof(header));
	if (err != ERR_OK)
		return err;
	return write_records(fd, entries, n);
}

enum err table_write(const char *path, struct table_entry *entries, size_t n, int64_t synced_at_ms)
{
	enum err err = ERR_UNAVAILABLE;
	char *temporary = NULL;
	int fd = -1;
	int saved = 0;

	if (n > 0)
		qsort(entries, n, sizeof(entries[0]), compare_entries);
	if (synced_at_ms < 0 || !entries_ok(entries, n))
		return ERR_MALFORMED;
	if (asprintf(&temporary, "%s.new", path) < 0)
		return ERR_NOMEM;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
	          S_IRUSR | S_IWUSR);
	if (fd < 0)
		goto out;
	err = write_file(fd, entries, n, synced_at_ms);
	if (err == ERR_OK && rename(temporary, path) != 0)
		err = ERR_UNAVAILABLE;
out:
	saved = errno;
	if (fd >= 0)
		close(fd);
	if (err != ERR_OK && fd >= 0)
		unlink(temporary);
	free(temporary);
	errno = saved;
	return err;
}

/* ---- reading ---- */

enum err table_new(const char *path, struct table **ret)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return ERR_NOMEM;
	table->map = MAP_FAILED;
	table->path = strdup(path);
	if (table->path == NULL) {
		table_free(table);
		return ERR_NOMEM;
	}
	*ret = table;
	return ERR_OK;
}

static void give_up(struct table *table)
{
	if (table->map != MAP_FAILED)
		munmap(table->map, table->size);
	table->map = MAP_FAILED;
	table->record = NULL;
	table->count = 0;
}

/* Take over what the mapping says, if it is a table. */
static enum err read_header(struct table *table)
{
	struct header header;
	uint64_t room = (table->size - sizeof(header)) / sizeof(struct record);

	memcpy(&header, table->map, sizeof(header));
	if (memcmp(header.magic, magic, sizeof(magic)) != 0 || header.zero != 0)
		return ERR_UNAVAILABLE;
	if (le64toh(header.count) != room ||
	    table->size != sizeof(header) + room * sizeof(struct record))
		return ERR_UNAVAILABLE;
	if (le64toh(header.synced_at) > INT64_MAX)
		return ERR_UNAVAILABLE;
	table->synced_at = (int64_t)le64toh(header.synced_at);
	table->count = (size_t)room;
	table->record = (const struct record *)((const struct header *)table->map + 1);
	return ERR_OK;
}

/* Map the file behind ${fd}, whose state is ${table}->seen. */
static enum err map_file(struct table *table, int fd)
{
	enum err err = ERR_OK;

	if (!S_ISREG(table->seen.st_mode) || table->seen.st_size < (off_t)sizeof(struct header))
		return ERR_UNAVAILABLE;
	table->size = (size_t)table->seen.st_size;
	table->map = mmap(NULL, table->size, PROT_READ, MAP_SHARED, fd, 0);
	if (table->map == MAP_FAILED)
		return ERR_UNAVAILABLE;
	err = read_header(table);
	if (err != ERR_OK)
		give_up(table);
	return err;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Open the file and map it, in place of what was mapped. */
static enum err remap(struct table *table)
{
	enum err err = ERR_UNAVAILABLE;
	int fd = -1;

	give_up(table);
	/* O_NONBLOCK: should it be a FIFO, open(2) is not to wait for its other end. */
	fd = open(table->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return ERR_UNAVAILABLE;
	if (fstat(fd, &table->seen) == 0)
		err = map_file(table, fd);
	close(fd);
	return err;
}

enum err table_refresh(struct table *table)
{
	struct stat now;

	if (stat(table->path, &now) != 0) {
		give_up(table);
		return ERR_UNAVAILABLE;
	}
	if (table->map != MAP_FAILED && same_file(&now, &table->seen))
		return ERR_OK;
	return remap(table);
}

int64_t table_generation(const struct table *table, const char account[ACCOUNT_ID_LEN])
{
	size_t low = 0;
	size_t high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct record *record = &table->record[middle];
		int order = memcmp(account, record->account, ACCOUNT_ID_LEN);

		if (order == 0) {
			uint64_t generation = le64toh(record->generation);

			return generation > INT64_MAX ? INT64_MAX : (int64_t)generation;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return 0;
}

int64_t table_age(const struct table *table, int64_t now_ms)
{
	int64_t age = 0;

	if (__builtin_sub_overflow(now_ms, table->synced_at, &age) || age == INT64_MIN)
		return INT64_MAX;
	return age < 0 ? -age : age;
}

void table_free(struct table *table)
{
	if (table == NULL)
		return;
	give_up(table);
	free(table->path);
	free(table);
}
