#include <inttypes.h>
#include <string.h>

#include "grant.h"
#include "media_type.h"

static bool wants_text(const struct request *req)
{
	if (media_type_accepted(req->accept, "application/json"))
		return false;
	return strcmp(req->route, "token-plain") == 0 ||
	       media_type_accepted(req->accept, "text/plain");
}

/* Append the token to ${token} and set *${ret_life}, in seconds.  ERR_TOKEN: the session has ended.
 */
static enum err make(const struct endpoints *deps, const char *sub, int64_t gen, int64_t auth_time,
                     struct buf *token, int64_t *ret_life)
{
	struct claims claims;
	int64_t end = auth_time + deps->session_max;
	int64_t now = deps->now();
	enum err err = ERR_OK;

	/* Another cell's clock may be ahead of ours, and no token is older than its session. */
	if (now < auth_time)
		now = auth_time;
	if (now >= end)
		return ERR_TOKEN;
	err = token_claims(&deps->rules, sub, gen, auth_time, now, &claims);
	if (err != ERR_OK)
		return err;
	if (claims.exp > end)
		claims.exp = end;
	*ret_life = claims.exp - claims.iat;
	return token_sign(&deps->rules, &claims, token);
}

void grant_answer(const struct endpoints *deps, const struct request *req, const char *sub,
                  int64_t gen, int64_t auth_time, struct response *resp)
{
	struct buf token = buf_new(LIMIT_TOKEN);
	int64_t life = 0;
	enum err err = make(deps, sub, gen, auth_time, &token, &life);

	if (err != ERR_OK) {
		response_problem(resp, req, err,
		                 err == ERR_TOKEN ? "The session has ended; log in again." : NULL);
		goto out;
	}
	resp->status = 200;
	response_header(resp, "Cache-Control", "no-store");
	if (wants_text(req)) {
		response_header(resp, "Content-Type", "text/plain");
		buf_put(&resp->body, token.data, token.len);
	} else {
		response_header(resp, "Content-Type", "application/json");
		buf_printf(
		    &resp->body,
		    "{\"access_token\":\"%s\",\"token_type\":\"Bearer\",\"expires_in\":%" PRId64
		    "}\n",
		    buf_str(&token), life);
	}
out:
	buf_free(&token);
}
