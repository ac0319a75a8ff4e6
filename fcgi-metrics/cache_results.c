#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache_results.h"

enum {
	PIECE = 16384,         /* bytes that are read at a time */
	PIECES = 2048,         /* in a call: twice what the tmpfs holds */
	LAYOUT = 1,            /* of the struct below; a file of another one counts as empty */
	LINE_LEN = CACHE_COUNT /* without its end */
};

/* The file `counted`.  All zeros is one where nothing was counted. */
struct counted {
	uint64_t layout;
	int64_t end; /* of what was counted, in bytes of the file `results` */
	struct cache_results results;
};

/* A regular file in ${folder}, or -1. */
static int open_in(const char *folder, const char *name)
{
	char path[256];
	struct stat status;
	int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = -1;

	if (n < 0 || n >= (int)sizeof(path))
		return -1;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Whether the file is ours until it is closed; two containers of the pool may run side by side. */
static bool lock(int fd)
{
	struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_SETLK, &all) == 0;
}

static struct counted load(int fd)
{
	struct counted counted;

	if (pread(fd, &counted, sizeof(counted), 0) != (ssize_t)sizeof(counted) ||
	    counted.layout != LAYOUT || counted.end < 0)
		return (struct counted){.layout = LAYOUT};
	return counted;
}

/* One write(2) within a page: no signal comes in between. */
static bool save(int fd, const struct counted *counted)
{
	return pwrite(fd, counted, sizeof(*counted), 0) == (ssize_t)sizeof(*counted);
}

static void count_line(struct cache_results *results, const char *line, size_t len)
{
#define ROW(name, letter, label) letter,
	static const char letters[] = {CACHE_RESULTS(ROW) '-'};
#undef ROW
	size_t at[LINE_LEN] = {0};

	for (size_t i = 0; i < LINE_LEN; i++) {
		const char *found =
		    len == LINE_LEN ? memchr(letters, line[i], sizeof(letters)) : NULL;

		if (found == NULL) {
			results->malformed++;
			return;
		}
		at[i] = (size_t)(found - letters);
	}
	for (size_t i = 0; i < LINE_LEN; i++) {
		if (at[i] < CACHE_RESULT_COUNT)
			results->counts[i][at[i]]++;
	}
}

/*
 * Count the whole lines in ${data}, and return how many bytes they are.  The rest is a line whose
 * end is still to come; a piece full of one is none.
 */
static size_t count_lines(struct cache_results *results, const char *data, size_t len)
{
	size_t at = 0;
	const char *end = NULL;

	while ((end = memchr(data + at, '\n', len - at)) != NULL) {
		count_line(results, data + at, (size_t)(end - data) - at);
		at = (size_t)(end - data) + 1;
	}
	if (at == 0 && len == PIECE) {
		results->malformed++;
		at = len;
	}
	return at;
}

/* Count the next piece, if there is one. */
static bool count_piece(int fd, struct counted *counted)
{
	char data[PIECE];
	struct stat status;
	off_t start = 0;
	ssize_t n = 0;
	size_t taken = 0;

	if (fstat(fd, &status) != 0)
		return false;
	if (status.st_size < counted->end)
		counted->end = 0; /* another file */
	start = lseek(fd, counted->end, SEEK_DATA);
	if (start < 0)
		return false;
	n = pread(fd, data, sizeof(data), start);
	taken = n <= 0 ? 0 : count_lines(&counted->results, data, (size_t)n);
	counted->end = start + (off_t)taken;
	return taken > 0;
}

enum err cache_results_count(const char *folder, struct cache_results *ret)
{
	int results = open_in(folder, "results");
	int sums = open_in(folder, "counted");
	struct counted counted;
	enum err err = ERR_NOT_FOUND;
	bool ours = false;

	if (results < 0 || sums < 0)
		goto out;
	ours = lock(sums);
	counted = load(sums);
	for (int i = 0; ours && i < PIECES && count_piece(results, &counted); i++) {
		if (!save(sums, &counted)) {
			err = ERR_UNAVAILABLE;
			goto out;
		}
		/* Should it fail, the next one frees this piece as well. */
		(void)fallocate(results, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		                counted.end);
	}
	*ret = counted.results;
	err = ERR_OK;
out:
	if (results >= 0)
		close(results);
	if (sums >= 0)
		close(sums);
	return err;
}
