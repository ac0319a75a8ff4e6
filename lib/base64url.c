#include "base64url.h"

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

enum err base64url_decode(const char *text, size_t len, uint8_t *data, size_t cap, size_t *ret_len)
{
	uint32_t bits = 0;
	unsigned pending = 0; /* how many of ${bits} are not written yet */
	size_t n = 0;

	if (len % 4 == 1)
		return ERR_MALFORMED;
	for (size_t i = 0; i < len; i++) {
		int value = value_of(text[i]);

		if (value < 0)
			return ERR_MALFORMED;
		bits = bits << 6 | (uint32_t)value;
		pending += 6;
		if (pending < 8)
			continue;
		pending -= 8;
		if (n == cap)
			return ERR_TOO_LARGE;
		data[n++] = (uint8_t)(bits >> pending);
	}
	if ((bits & ((1U << pending) - 1)) != 0)
		return ERR_MALFORMED;
	*ret_len = n;
	return ERR_OK;
}
