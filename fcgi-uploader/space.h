#ifndef FCGI_UPLOADER_SPACE_H
#define FCGI_UPLOADER_SPACE_H

#include <stdint.h>

#include "err.h"

/* Room that uploads leave on a disk. */
struct space {
	const char *path; /* any file of it */
	int64_t floor;    /* bytes; 0 for no floor */
};

/*
 * Whether ${bytes} more may be stored: ERR_FULL if less than the floor would then be left to
 * unprivileged processes (statvfs(3), f_bavail), ERR_INTERNAL if the disk cannot be looked at.
 */
MUST_CHECK enum err space_check(const struct space *space, int64_t bytes);

#endif
