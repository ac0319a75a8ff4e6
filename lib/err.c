#include "err.h"

static const struct problem problems[ERR_COUNT] = {
    [ERR_MALFORMED] = {400, "Bad Request", "bad request", "The request is not well formed.", 0},
    [ERR_CUT] = {400, "Bad Request", "bad request", "The body ended before it was complete.", 0},
    [ERR_LENGTH] = {400, "Bad Request", "bad request", "The length was not known in time.", 0},
    [ERR_TOKEN] = {401, "Unauthorized", "unauthorized", "A valid token is needed.", 0},
    [ERR_CREDENTIALS] = {401, "Unauthorized", "unauthorized", "The login or the password is wrong.",
                         0},
    [ERR_FORBIDDEN] = {403, "Forbidden", "forbidden", "This is not allowed.", 0},
    [ERR_NOT_FOUND] = {404, "Not Found", "not found", "There is nothing here.", 0},
    [ERR_METHOD] = {405, "Method Not Allowed", "method not allowed",
                    "This method is not allowed here; see Allow.", 0},
    [ERR_SLOW] = {408, "Request Timeout", "request timeout", "The body came too slowly.", 0},
    [ERR_CONFLICT] = {409, "Conflict", "conflict", "The name is taken.", 0},
    [ERR_TOO_LARGE] = {413, "Content Too Large", "payload too large", "The body is too large.", 0},
    [ERR_MEDIA_TYPE] = {415, "Unsupported Media Type", "unsupported media type",
                        "This media type is not accepted.", 0},
    [ERR_TOO_MANY] = {429, "Too Many Requests", "too many requests", "Too many requests; wait.", 0},
    [ERR_INTERNAL] = {500, "Internal Server Error", "internal error",
                      "Something went wrong here; the request id leads to the log.", 0},
    [ERR_NOMEM] = {503, "Service Unavailable", "unavailable", "There is no memory at the moment.",
                   1},
    [ERR_UNAVAILABLE] = {503, "Service Unavailable", "unavailable",
                         "A part of the service does not answer; try again.", 1},
    [ERR_BUSY] = {503, "Service Unavailable", "unavailable",
                  "There are more requests than can be answered at the moment; try again.", 5},
    [ERR_TIMEOUT] = {503, "Service Unavailable", "unavailable",
                     "A part of the service answers too slowly; try again.", 1},
    [ERR_FULL] = {507, "Insufficient Storage", "storage full", "The store has no room left.", 0},
};

const struct problem *err_problem(enum err err)
{
	if (err <= ERR_OK || err >= ERR_COUNT)
		return &problems[ERR_INTERNAL];
	return &problems[err];
}
