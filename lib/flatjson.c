#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "flatjson.h"

struct flatjson {
	json_t *object;
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

	if (code == json_error_out_of_memory)
		return ERR_NOMEM;
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

enum err flatjson_parse(const void *text, size_t len, struct flatjson **ret, const char **why)
{
	struct flatjson *json = NULL;
	json_t *object = NULL;
	json_error_t error;
	enum err err = ERR_NOMEM;

	/* jansson passes over a NUL that follows a number. */
	if (memchr(text, '\0', len) != NULL) {
		*why = "The JSON text holds a NUL.";
		return ERR_MALFORMED;
	}
	object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (object == NULL)
		return explain(&error, why);
	err = check_flat(object, why);
	if (err != ERR_OK)
		goto out;
	json = malloc(sizeof(*json));
	if (json == NULL) {
		err = ERR_NOMEM;
		goto out;
	}
	json->object = json_incref(object);
	*ret = json;
out:
	json_decref(object);
	return err;
}

const char *flatjson_string(const struct flatjson *json, const char *name, size_t *ret_len)
{
	const json_t *value = json_object_get(json->object, name);

	if (!json_is_string(value))
		return NULL;
	*ret_len = json_string_length(value);
	return json_string_value(value);
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
	json_decref(json->object);
	free(json);
}
