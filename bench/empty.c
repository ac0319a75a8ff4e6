#include <string.h>

#include "log.h"
#include "worker.h"

/*
 * The reference for `validate`: a worker of the same pool, libraries and accept loop, whose answer
 * is 204 whatever is asked.
 */

static void answer(void *deps, const struct request *req, struct response *resp)
{
	(void)deps;
	(void)req;
	resp->status = 204;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "-t") == 0)
		return 0;
	/* As validate is run: no line for each request. */
	log_open("empty", LOG_LEVEL_WARN);
	return worker_run(answer, NULL);
}
