#include <string.h>

#include "quota.h"

/* Bytes of a unit: the limit must fit a counter twice, for what is counted beyond it. */
static int64_t unit(const struct quota *quota)
{
	return quota->limit / (TALLY_MAX / 2) + 1;
}

enum err quota_check(const struct quota *quota, const char *account, int64_t bytes, int64_t now,
                     int64_t *ret_left, int64_t *ret_wait)
{
	int64_t units = 0;
	int64_t left = 0;
	enum err err = ERR_OK;

	if (quota->tally == NULL)
		return ERR_OK;
	err = tally_get(quota->tally, account, strlen(account), now, &units);
	if (err != ERR_OK)
		return err;
	left = quota->limit - units * unit(quota);
	if (bytes <= left)
		return ERR_OK;
	*ret_left = left < 0 ? 0 : left;
	*ret_wait = tally_left(quota->tally, now);
	return ERR_TOO_MANY;
}

enum err quota_count(const struct quota *quota, const char *account, int64_t bytes, int64_t now)
{
	int64_t units = (bytes - 1) / unit(quota) + 1;
	int64_t sum = 0;

	if (quota->tally == NULL)
		return ERR_OK;
	return tally_add(quota->tally, account, strlen(account), units, now, &sum);
}
