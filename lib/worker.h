#ifndef LIB_WORKER_H
#define LIB_WORKER_H

#include "request.h"
#include "response.h"

/*
 * The accept loop of a pre-forked FastCGI worker whose listening socket is descriptor 0, as
 * spawn-fcgi leaves it.  One request at a time; one connection a request.
 *
 * SIGTERM, SIGUSR1, SIGINT and SIGHUP end the loop between two requests, never within one.
 */

/* Answer ${req} in ${resp}.  ${deps} is what worker_run() was given. */
typedef void worker_handler(void *deps, const struct request *req, struct response *resp);

/*
 * Accept and answer requests with ${handle} until a signal says stop.  The route `health` with
 * method GET is answered here with 204: it shows that this worker accepts.  Returns the exit status
 * of the program: 0 after a signal, 1 if descriptor 0 is no listening socket.
 */
int worker_run(worker_handler *handle, void *deps);

/*
 * The same; ${idle} is called whenever no connection has come for ${seconds}.
 */
int worker_run_idle(worker_handler *handle, void (*idle)(void *deps), int seconds, void *deps);

#endif
