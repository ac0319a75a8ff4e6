#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "s3_put.h"

/* Whether ${tag} is the entity tag of an object that was put at once: 32 digits, in quotes. */
static bool etag_ok(const char *tag)
{
	return strlen(tag) == 34 && tag[0] == '"' && tag[33] == '"' &&
	       strspn(tag + 1, "0123456789abcdef") == 32;
}

/* Whether ${answer} says that the object is there as it was sent. */
static enum err judge(const struct s3_answer *answer, char why[STORE_WHY_LEN])
{
	if (answer->status != 200)
		return s3_refusal(answer, why);
	if (!etag_ok(answer->etag) ||
	    (answer->sent[0] != '\0' && strcmp(answer->checksum, answer->sent) != 0)) {
		(void)snprintf(why, STORE_WHY_LEN, "the store answered 200 for something else");
		return ERR_UNAVAILABLE;
	}
	return ERR_OK;
}

static enum err put(void *ctx, const struct store_object *object, char why[STORE_WHY_LEN])
{
	const struct s3_request request = {
	    .method = "PUT", .key = object->key, .query = "", .object = object};
	struct s3_answer answer = {.body = buf_new(S3_ANSWER_MAX)};
	enum err err = s3_send(ctx, &request, &answer, why);

	if (err == ERR_OK)
		err = judge(&answer, why);
	buf_free(&answer.body);
	return err;
}

struct store s3_put_store(struct s3 *s3)
{
	return (struct store){.put = put, .ctx = s3};
}
