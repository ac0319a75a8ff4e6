#include <inttypes.h>

#include "blocklist.h"
#include "newpassword.h"

bool newpassword_ok(const struct endpoints *deps, const struct request *req, const char *password,
                    size_t len, struct response *resp)
{
	if (len < (uint64_t)deps->password_min) {
		response_problem(resp, req, ERR_MALFORMED,
		                 "A password has at least %" PRId64 " bytes.", deps->password_min);
		return false;
	}
	if (blocklist_has(password, len)) {
		response_problem(resp, req, ERR_MALFORMED,
		                 "This password is one of the commonest, which are tried first.");
		return false;
	}
	return true;
}
