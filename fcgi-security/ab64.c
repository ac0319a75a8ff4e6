#include <string.h>

#include "ab64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./";

void ab64_encode(const uint8_t *data, size_t len, char *text)
{
	uint32_t bits = 0;
	unsigned int n = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | data[i];
		for (n += 8; n >= 6; n -= 6)
			*text++ = alphabet[bits >> (n - 6) & 63];
	}
	if (n > 0)
		*text++ = alphabet[bits << (6 - n) & 63];
	*text = '\0';
}

enum err ab64_decode(const char *text, size_t len, uint8_t *data, size_t cap, size_t *ret_len)
{
	uint32_t bits = 0;
	unsigned int n = 0;
	size_t out = 0;

	if (len % 4 == 1)
		return ERR_MALFORMED;
	for (size_t i = 0; i < len; i++) {
		const char *at = memchr(alphabet, text[i], sizeof(alphabet) - 1);

		if (at == NULL)
			return ERR_MALFORMED;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		n += 6;
		if (n < 8)
			continue;
		if (out == cap)
			return ERR_TOO_LARGE;
		n -= 8;
		data[out++] = (uint8_t)(bits >> n);
	}
	if ((bits & ((1U << n) - 1)) != 0)
		return ERR_MALFORMED;
	*ret_len = out;
	return ERR_OK;
}
