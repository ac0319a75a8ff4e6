#include <ctype.h>
#include <string.h>

#include "address.h"
#include "bounds.h"
#include "throttle.h"

/* The network, then the login in lower case.  Logins of all lengths differ: it ends the key. */
struct pair {
	uint8_t bytes[ADDRESS_NETWORK_LEN + LIMIT_LOGIN];
	size_t len;
};

static struct pair pair_of(const char *login, const char *address)
{
	struct pair pair = {.len = ADDRESS_NETWORK_LEN};

	/* Who has no address is at the one that nobody has. */
	if (address_network(address, pair.bytes) != ERR_OK)
		memset(pair.bytes, 0, ADDRESS_NETWORK_LEN);
	while (*login != '\0' && pair.len < sizeof(pair.bytes))
		pair.bytes[pair.len++] = (uint8_t)tolower((unsigned char)*login++);
	return pair;
}

enum err throttle_check(const struct throttle *throttle, const char *login, const char *address,
                        int64_t now, int64_t *ret_wait)
{
	struct pair pair = pair_of(login, address);
	int64_t count = 0;
	enum err err = tally_get(throttle->tally, pair.bytes, pair.len, now, &count);

	if (err != ERR_OK || count < throttle->failures)
		return err;
	*ret_wait = tally_left(throttle->tally, now);
	return ERR_TOO_MANY;
}

enum err throttle_count(const struct throttle *throttle, const char *login, const char *address,
                        int64_t now)
{
	struct pair pair = pair_of(login, address);
	int64_t count = 0;

	return tally_add(throttle->tally, pair.bytes, pair.len, 1, now, &count);
}

enum err throttle_forget(const struct throttle *throttle, const char *login, const char *address,
                         int64_t now)
{
	struct pair pair = pair_of(login, address);

	return tally_clear(throttle->tally, pair.bytes, pair.len, now);
}
