#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "name.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is taken for a name can stand in a path as it is, and names exactly one other. */
static void check(char *text, char separator, bool (*other)(const char *))
{
	size_t len = strlen(text);

	if (len > NAME_MAX_LEN || text[ACCOUNT_ID_LEN] != separator ||
	    strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz-/.") != len ||
	    strchr(text, '.') != strrchr(text, '.') || strstr(text, "//") != NULL)
		abort();
	text[ACCOUNT_ID_LEN] = separator == '-' ? '/' : '-';
	if (!other(text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);

	if (text == NULL)
		return 0;
	if (name_is_file(text))
		check(text, '-', name_is_object);
	else if (name_is_object(text))
		check(text, '/', name_is_file);
	free(text);
	return 0;
}
