#include <inttypes.h>
#include <string.h>

#include "identity.h"
#include "log.h"
#include "metrics.h"
#include "validator.h"

/*
 * A table that was good a moment ago is taken as it was.  A revocation has a second to get into it
 * and another one at the gateway.
 */
static enum validator_state state_of(struct validator *validator, int64_t now_ms)
{
	int64_t since = now_ms - validator->looked_at;

	if (validator->state == VALIDATOR_FRESH && since >= 0 && since < VALIDATOR_LOOK_MS)
		return VALIDATOR_FRESH;
	validator->looked_at = now_ms;
	if (table_refresh(validator->table) != ERR_OK)
		return VALIDATOR_NO_TABLE;
	if (table_age(validator->table, now_ms) > TABLE_STALE_MS)
		return VALIDATOR_STALE;
	return VALIDATOR_FRESH;
}

/* Look at the table; log only what is new about it. */
static enum validator_state look(struct validator *validator, int64_t now_ms)
{
	enum validator_state state = state_of(validator, now_ms);

	if (state == validator->state)
		return state;
	if (state == VALIDATOR_FRESH)
		log_info("the revocation table is up to date");
	else if (state == VALIDATOR_STALE)
		log_warn("the revocation table is %" PRId64 " ms old: revocations are late",
		         table_age(validator->table, now_ms));
	else
		log_error("there is no usable revocation table: nobody gets in");
	validator->state = state;
	return state;
}

/* Count a refusal by the word for its reason; what is none of them is trouble of our own. */
static void count(const char *why)
{
	static const struct {
		const char *why;
		enum metrics_counter counter;
	} rows[] = {
	    {"absent", METRIC_VALIDATION_ABSENT},
	    {"scheme", METRIC_VALIDATION_SCHEME},
	    {"malformed", METRIC_VALIDATION_MALFORMED},
	    {"header", METRIC_VALIDATION_HEADER},
	    {"key", METRIC_VALIDATION_KEY},
	    {"signature", METRIC_VALIDATION_SIGNATURE},
	    {"claims", METRIC_VALIDATION_CLAIMS},
	    {"expired", METRIC_VALIDATION_EXPIRED},
	    {"early", METRIC_VALIDATION_EARLY},
	    {"revoked", METRIC_VALIDATION_REVOKED},
	};
	enum metrics_counter counter = METRIC_VALIDATION_UNAVAILABLE;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(why, rows[i].why) == 0)
			counter = rows[i].counter;
	}
	metrics_add(counter, 1);
}

/* Who may go on: ERR_OK and *${ret}, or what to refuse with and *${ret_why}. */
static enum err decide(struct validator *validator, const struct request *req, int64_t now_ms,
                       struct claims *ret, const char **ret_why)
{
	enum err err =
	    identity_check(&validator->rules, req->authorization, now_ms / 1000, ret, ret_why);

	if (err != ERR_OK)
		return err;
	if (look(validator, now_ms) == VALIDATOR_NO_TABLE) {
		*ret_why = "no revocation table";
		return ERR_UNAVAILABLE;
	}
	if (ret->gen < table_generation(validator->table, ret->sub)) {
		*ret_why = "revoked";
		return ERR_TOKEN;
	}
	return ERR_OK;
}

static void validate(struct validator *validator, const struct request *req, struct response *resp)
{
	int64_t now_ms = validator->now_ms();
	struct claims claims;
	const char *why = NULL;
	enum err err = decide(validator, req, now_ms, &claims, &why);

	if (err != ERR_OK) {
		log_debug("token refused: %s", why);
		count(why);
		response_problem(resp, req, err, NULL);
		return;
	}
	response_header(resp, "X-Account-Id", "%s", claims.sub);
	/* nginx keeps the answer to the end of this second, and no token ends within one. */
	response_header(resp, "X-Accel-Expires", "@%" PRId64, now_ms / 1000);
	resp->status = 204;
	metrics_add(METRIC_VALIDATION_OK, 1);
}

static void ready(struct validator *validator, const struct request *req, struct response *resp)
{
	if (look(validator, validator->now_ms()) == VALIDATOR_FRESH)
		resp->status = 204;
	else
		response_problem(resp, req, ERR_UNAVAILABLE, NULL);
}

void validator_handle(void *deps, const struct request *req, struct response *resp)
{
	struct validator *validator = deps;

	if (strcmp(req->route, "validate") == 0)
		validate(validator, req, resp);
	else if (strcmp(req->route, "ready") == 0)
		ready(validator, req, resp);
	else
		response_problem(resp, req, ERR_NOT_FOUND, NULL);
}
