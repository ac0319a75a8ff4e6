#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flatjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever comes in: no crash, and a string that is given out is a string of its length. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flatjson *json = NULL;
	const char *why = NULL;
	const char *login = NULL;
	int64_t number = 0;
	size_t len = 0;

	if (flatjson_parse(data, size, &json, &why) != ERR_OK)
		return 0;
	login = flatjson_string(json, "login", &len);
	if (login != NULL && strlen(login) != len)
		abort();
	(void)!flatjson_integer(json, "exp", &number);
	flatjson_free(json);
	return 0;
}
