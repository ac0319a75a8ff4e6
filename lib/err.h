#ifndef LIB_ERR_H
#define LIB_ERR_H

/*
 * What can go wrong, as one enumeration for the whole project.  A fallible function returns one of
 * these; ERR_OK is zero.  err_problem() is the only place that maps them to HTTP.
 */
enum err {
	ERR_OK = 0,

	/* What the client sent. */
	ERR_MALFORMED,   /* not well formed, or breaks a rule that the detail names */
	ERR_CUT,         /* the body ended before it was complete */
	ERR_LENGTH,      /* well formed, but a length that had to be assumed was another */
	ERR_TOKEN,       /* no valid token */
	ERR_CREDENTIALS, /* unknown login, wrong password or disabled account */
	ERR_FORBIDDEN,   /* understood, and not allowed */
	ERR_NOT_FOUND,   /* there is no such thing */
	ERR_METHOD,      /* the route does not take this method */
	ERR_SLOW,        /* the body took longer than its deadline */
	ERR_CONFLICT,    /* the name is taken */
	ERR_TOO_LARGE,   /* over a size limit that the detail states */
	ERR_MEDIA_TYPE,  /* a type that is not accepted */
	ERR_TOO_MANY,    /* over a rate or an allowance: response_too_many() says for how long */

	/* What happened here or behind us. */
	ERR_INTERNAL,    /* a bug, or an answer that makes no sense */
	ERR_NOMEM,       /* memory ran out */
	ERR_UNAVAILABLE, /* a part that is needed does not answer */
	ERR_BUSY,        /* more requests than can be answered in time */
	ERR_TIMEOUT,     /* a part that is needed answers too slowly */
	ERR_FULL,        /* the store has no room */

	ERR_COUNT
};

/* A fallible function is declared with MUST_CHECK: its result cannot be dropped by accident. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* How an error looks in HTTP (RFC 9110 status codes, RFC 9457 members). */
struct problem {
	int status;
	const char *title; /* the status code's phrase */
	const char *error; /* a few words; the member `error` that clients of older services read */
	const char *detail; /* a sentence for when the caller has nothing more exact to say */
	int retry_after; /* seconds for Retry-After; 0 for none, or for what only the caller knows
	                  */
};

/* Return the HTTP form of ${err}.  Never NULL: anything outside the enumeration is ERR_INTERNAL. */
const struct problem *err_problem(enum err err);

#endif
