#ifndef TESTS_UNIT_GALLERY_REQUEST_H
#define TESTS_UNIT_GALLERY_REQUEST_H

#include "request.h"

#define ACCOUNT "0123456789abcdef"
#define OTHER   "fedcba9876543210"
#define REST    "vuci4ialvv0123456789abcdefghij.jpg"
#define OBJECT  ACCOUNT "/" REST
#define FILE_OF ACCOUNT "-" REST

/* A request as the gateway makes it for a gallery worker. */
static inline struct request gallery_request(const char *method)
{
	return (struct request){.id = "r",
	                        .route = "",
	                        .method = method,
	                        .authorization = "",
	                        .accept = "",
	                        .content_type = "",
	                        .remote_addr = "",
	                        .account = ACCOUNT,
	                        .object = "",
	                        .limit = "",
	                        .after = "",
	                        .content_length = -1};
}

#endif
