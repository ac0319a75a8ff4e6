#include <sys/statvfs.h>

#include "space.h"

enum err space_check(const struct space *space, int64_t bytes)
{
	struct statvfs disk;

	if (space->floor == 0)
		return ERR_OK;
	if (statvfs(space->path, &disk) != 0)
		return ERR_INTERNAL;
	if ((double)disk.f_bavail * (double)disk.f_frsize < (double)space->floor + (double)bytes)
		return ERR_FULL;
	return ERR_OK;
}
