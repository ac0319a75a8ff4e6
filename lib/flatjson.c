#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "bounds.h"
#include "flatjson.h"

/*
 * When memory runs out, jansson says that the text is not well formed, or writes beyond a buffer:
 * it goes on with a token of which a part is missing.  So it gets an arena, which also is wiped:
 * passwords pass through it.  What it needs most of for a byte of text, with bytes of overhead on a
 * 64-bit machine: `{},` in an array takes 72 for an object, 128 for its table and 32 for its place.
 */
enum { ARENA_BASE = 8192, ARENA_PER_BYTE = 128 };

struct flatjson {
	struct arena arena;
	json_t *object; /* in the arena */
};

static enum err check_flat(json_t *object, const char **why)
{
	const char *name = NULL;
	json_t *value = NULL;

	if (!json_is_object(object)) {
		*why = "The JSON text must be an object.";
		return ERR_MALFORMED;
	}
	if (json_object_size(object) > LIMIT_JSON_MEMBERS) {
		*why = "The JSON object has too many members.";
		return ERR_MALFORMED;
	}
	json_object_foreach(object, name, value)
	{
		if (json_is_object(value) || json_is_array(value)) {
			*why = "The members of the JSON object must be plain values.";
			return ERR_MALFORMED;
		}
	}
	return ERR_OK;
}

/* What jansson's ${error} means to a client. */
static enum err explain(const json_error_t *error, const char **why)
{
	enum json_error_code code = json_error_code(error);

	if (code == json_error_duplicate_key)
		*why = "A member of the JSON object stands there twice.";
	else if (code == json_error_invalid_utf8)
		*why = "The JSON text is not valid UTF-8.";
	else if (code == json_error_null_character)
		*why = "A string of the JSON text holds a NUL.";
	else
		*why = "The body is not well-formed JSON.";
	return ERR_MALFORMED;
}

/* json_loadb() in the arena of ${json}. */
static enum err load(struct flatjson *json, const void *text, size_t len, const char **why)
{
	json_error_t error;
	enum err err = arena_open(&json->arena, ARENA_BASE + ARENA_PER_BYTE * len);

	if (err != ERR_OK)
		return err;
	json_set_alloc_funcs(arena_hook_malloc, arena_hook_free);
	json->object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	json_set_alloc_funcs(malloc, free);
	arena_close();
	return json->object == NULL ? explain(&error, why) : check_flat(json->object, why);
}

enum err flatjson_parse(const void *text, size_t len, struct flatjson **ret, const char **why)
{
	struct flatjson *json = NULL;
	enum err err = ERR_OK;

	/* jansson passes over a NUL that follows a number. */
	if (memchr(text, '\0', len) != NULL) {
		*why = "The JSON text holds a NUL.";
		return ERR_MALFORMED;
	}
	json = calloc(1, sizeof(*json));
	if (json == NULL)
		return ERR_NOMEM;
	err = load(json, text, len, why);
	if (err != ERR_OK) {
		flatjson_free(json);
		return err;
	}
	*ret = json;
	return ERR_OK;
}

bool flatjson_has(const struct flatjson *json, const char *name)
{
	return json_object_get(json->object, name) != NULL;
}

const char *flatjson_string(const struct flatjson *json, const char *name, size_t *ret_len)
{
	const json_t *value = json_object_get(json->object, name);

	if (!json_is_string(value))
		return NULL;
	*ret_len = json_string_length(value);
	return json_string_value(value);
}

bool flatjson_is(const struct flatjson *json, const char *name, const char *expected)
{
	size_t len = 0;
	const char *text = flatjson_string(json, name, &len);

	return text != NULL && len == strlen(expected) && memcmp(text, expected, len) == 0;
}

enum err flatjson_integer(const struct flatjson *json, const char *name, int64_t *ret)
{
	const json_t *value = json_object_get(json->object, name);

	if (!json_is_integer(value))
		return ERR_MALFORMED;
	*ret = json_integer_value(value);
	return ERR_OK;
}

void flatjson_free(struct flatjson *json)
{
	if (json == NULL)
		return;
	arena_free(&json->arena);
	free(json);
}
