#ifndef FCGI_UPLOADER_LIST_H
#define FCGI_UPLOADER_LIST_H

#include "request.h"
#include "response.h"
#include "store.h"

/*
 * Answer the route `list`: a page of the images of ${req->account}, newest first.  200 with a JSON
 * object: `images`, an array of objects with filename, size and created_at, and `next`, the name to
 * be given as ${req->after} for the page that follows, or null after the last one.
 *
 * 400 if ${req->limit} is no number from 1 to LISTING_MAX, which is what it is when it is empty, or
 * ${req->after} is not empty and no name of an image of this account, there or not.  Blocks, as
 * long as the store does.
 */
void list_handle(const struct store_gallery *store, const struct request *req,
                 struct response *resp);

#endif
