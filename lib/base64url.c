#include <string.h>

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

/* The 24 bits of four characters; negative if one of them is none. */
static int32_t bits_of(const char text[4])
{
	return value_of(text[0]) * (1 << 18) | value_of(text[1]) * (1 << 12) |
	       value_of(text[2]) * (1 << 6) | value_of(text[3]);
}

static void put(uint8_t *data, int32_t bits, size_t n)
{
	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t)(bits >> (16 - 8 * i));
}

enum err base64url_decode(const char *text, size_t len, uint8_t *data, size_t cap, size_t *ret_len)
{
	const char *end = text + len / 4 * 4;
	char last[4] = {'A', 'A', 'A', 'A'}; /* no bit that is set */
	size_t more = len % 4;               /* characters behind the last four */
	size_t n = len / 4 * 3;
	int32_t bits = 0;

	if (more == 1)
		return ERR_MALFORMED;
	more -= more > 0; /* bytes from here on */
	if (n + more > cap)
		return ERR_TOO_LARGE;
	for (; text < end; text += 4, data += 3) {
		bits = bits_of(text);
		if (bits < 0)
			return ERR_MALFORMED;
		put(data, bits, 3);
	}
	memcpy(last, text, len % 4);
	bits = bits_of(last);
	if (bits < 0 || (bits & (0xffffff >> 8 * more)) != 0)
		return ERR_MALFORMED;
	put(data, bits, more);
	*ret_len = n + more;
	return ERR_OK;
}
