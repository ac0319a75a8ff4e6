#ifndef TESTS_UNIT_FCGI_CLIENT_H
#define TESTS_UNIT_FCGI_CLIENT_H

#include <stddef.h>
#include <stdint.h>

/*
 * A FastCGI client (FastCGI specification 1.0) small enough to send what no gateway would.  All
 * functions are for one responder request with id 1; they fail the test when the socket does.
 */
enum fcgi_type {
	FCGI_BEGIN = 1,
	FCGI_END = 3,
	FCGI_PARAMETERS = 4,
	FCGI_INPUT = 5,
	FCGI_OUTPUT = 6
};

/* Connect to the unix socket ${path}; the caller closes the descriptor. */
int fcgi_connect(const char *path);

/* Send one record of ${type} with ${len} bytes of ${data}. */
void fcgi_record(int fd, enum fcgi_type type, const void *data, size_t len);

/* Send the begin record; ${keep} sets FCGI_KEEP_CONN. */
void fcgi_begin(int fd, int keep);

/* Send a parameter, or with ${name} NULL the end of the parameters. */
void fcgi_param(int fd, const char *name, const char *value);

/*
 * Put a whole POST request with ${route}, the id "abc" and ${body} into ${data}, which has ${cap}
 * bytes: to be sent at once, or in pieces.  Returns its length.
 */
size_t fcgi_compose(void *data, size_t cap, const char *route, const char *body);

/*
 * Read the answer until the worker closes the connection; put what it wrote to its output into
 * ${text}, a string of at most ${cap} − 1 bytes.  Returns the number of end records seen.
 */
int fcgi_answer(int fd, char *text, size_t cap);

#endif
