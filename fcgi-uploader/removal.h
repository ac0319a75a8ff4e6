#ifndef FCGI_UPLOADER_REMOVAL_H
#define FCGI_UPLOADER_REMOVAL_H

#include "purge.h"
#include "request.h"
#include "response.h"
#include "store.h"

/*
 * Removing an image: from the store first, then from the gateway's cache, so that nothing can fetch
 * it again in between.  Whatever fails, the same request may be made once more.
 */
struct removal {
	const struct store_gallery *store;
	enum err (*purge)(void *ctx, const char *object, char why[PURGE_WHY_LEN]);
	void *ctx; /* for purge */
};

/*
 * Answer the route `remove`: ${req->object} of ${req->account}, the owner.  204 when both have
 * forgotten it; 403 for another's; 404 if the store does not have it, and then the cache neither.
 * Blocks, as long as the store and the gateway do.
 */
void removal_handle(const struct removal *removal, const struct request *req,
                    struct response *resp);

/*
 * Answer the route `takedown`, which the gateway does not know: an operator removes ${req->object},
 * whoever owns it.  204 when store and cache are without it, whether or not they had it.
 */
void removal_takedown(const struct removal *removal, const struct request *req,
                      struct response *resp);

/*
 * Answer the route `erase`, which the gateway does not know: an operator removes images of
 * ${req->account}, up to a page of them, newest first.  200 with a JSON object: removed, how many;
 * none when the account had no image left.  After anything else some may be gone, and the same
 * request goes on with the rest.  Objects whose names are not of our form stay.
 */
void removal_erase(const struct removal *removal, const struct request *req, struct response *resp);

#endif
