#include "base64url.h"

/* One more than the value of each character: 0 is none.  A branch for each would cost more. */
static const uint8_t values[256] = {
    ['A'] = 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,         12,         13,
    14,         15, 16, 17, 18, 19, 20, 21, 22, 23, 24,         25,         26,
    ['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37,         38,         39,
    40,         41, 42, 43, 44, 45, 46, 47, 48, 49, 50,         51,         52,
    ['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, ['-'] = 63, ['_'] = 64,
};

static int value_of(char c)
{
	return values[(unsigned char)c] - 1;
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
