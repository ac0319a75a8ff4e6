#ifndef FCGI_UPLOADER_SIGN_H
#define FCGI_UPLOADER_SIGN_H

#include <time.h>

#include "request.h"
#include "response.h"
#include "sigv4.h"

/* What the signer's handler works with. */
struct sign {
	struct sigv4 sigv4;
	const char *host;   /* the store's, as the gateway sends it */
	const char *bucket; /* addressed by path */
	time_t (*now)(time_t *);
};

/*
 * Answer the route `sign`: the headers with which the gateway may get ${req->object}, and nothing
 * else, from the store.  204 with X-Store-Authorization, X-Store-Date and X-Store-Content-Sha256;
 * 404 if that is no name of ours.  ${sign} is a struct sign *.  Does not block.
 */
void sign_handle(void *sign, const struct request *req, struct response *resp);

#endif
