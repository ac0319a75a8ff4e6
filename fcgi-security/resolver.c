#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "clock.h"
#include "resolver.h"

enum { ADDRESSES_MAX = 8 }; /* more would only use up the deadline */

struct resolver {
	struct addrinfo hints;
	struct gaicb lookup;
	bool pending; /* getaddrinfo_a(3) owns ${lookup} and ${hints} */
};

enum err resolver_new(const char *host, struct resolver **ret)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	/*
	 * A name server that does not know the host, because that is down, may not answer at all.
	 * With the default of 5 seconds it would be asked again long after the host came back.
	 */
	if (resolver == NULL || setenv("RES_OPTIONS", "timeout:1 attempts:2", 0) != 0) {
		free(resolver);
		return ERR_NOMEM;
	}
	resolver->hints = (struct addrinfo){.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	resolver->lookup = (struct gaicb){.ar_name = host, .ar_request = &resolver->hints};
	*ret = resolver;
	return ERR_OK;
}

static enum err start(struct resolver *resolver)
{
	struct gaicb *list[] = {&resolver->lookup};
	struct sigevent none = {.sigev_notify = SIGEV_NONE};

	if (getaddrinfo_a(GAI_NOWAIT, list, 1, &none) != 0)
		return ERR_NOMEM;
	resolver->pending = true;
	return ERR_OK;
}

/* Wait until the look-up has ended. */
static enum err finish(struct resolver *resolver, int64_t deadline)
{
	const struct gaicb *const list[] = {&resolver->lookup};

	while (gai_error(&resolver->lookup) == EAI_INPROGRESS) {
		int64_t left = deadline - clock_steady_ms();
		struct timespec wait = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};

		if (left <= 0)
			return ERR_TIMEOUT;
		(void)gai_suspend(list, 1, &wait);
	}
	resolver->pending = false;
	return ERR_OK;
}

static enum err append(const struct addrinfo *at, struct buf *addresses, int *ret_n)
{
	char text[NI_MAXHOST];
	int n = 0;

	for (; at != NULL && n < ADDRESSES_MAX; at = at->ai_next) {
		if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof(text), NULL, 0,
		                NI_NUMERICHOST) != 0)
			continue;
		if (n++ > 0)
			buf_puts(addresses, ",");
		buf_puts(addresses, text);
	}
	*ret_n = n;
	return n > 0 ? buf_err(addresses) : ERR_UNAVAILABLE;
}

static void forget(struct resolver *resolver)
{
	if (resolver->lookup.ar_result != NULL)
		freeaddrinfo(resolver->lookup.ar_result);
	resolver->lookup.ar_result = NULL;
}

enum err resolver_lookup(struct resolver *resolver, int64_t timeout_ms, struct buf *addresses,
                         int *ret_n)
{
	int64_t deadline = clock_steady_ms() + timeout_ms;
	enum err err = ERR_OK;

	/* Whatever an abandoned look-up finds is out of date. */
	if (resolver->pending)
		err = finish(resolver, deadline);
	if (err != ERR_OK)
		return err;
	forget(resolver);

	err = start(resolver);
	if (err == ERR_OK)
		err = finish(resolver, deadline);
	if (err != ERR_OK)
		return err;
	if (gai_error(&resolver->lookup) != 0)
		return ERR_UNAVAILABLE;
	err = append(resolver->lookup.ar_result, addresses, ret_n);
	forget(resolver);
	return err;
}

void resolver_free(struct resolver *resolver)
{
	if (resolver == NULL)
		return;
	/* What a thread is still writing to cannot be freed: the program is about to end anyway. */
	if (resolver->pending && gai_cancel(&resolver->lookup) == EAI_NOTCANCELED)
		return;
	forget(resolver);
	free(resolver);
}
