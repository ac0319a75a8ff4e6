#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the store says: no crash, and what is taken from it are names of ours and true sizes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct listing listing;

	if (listing_parse(data, size, &listing) != ERR_OK)
		return 0;
	if (listing.n + listing.foreign > LISTING_MAX)
		abort();
	for (size_t i = 0; i < listing.n; i++) {
		if (!name_is_object(listing.entries[i].object) || listing.entries[i].size < 0)
			abort();
	}
	return 0;
}
