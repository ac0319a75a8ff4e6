#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "address.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

enum err address_network(const char *text, uint8_t network[ADDRESS_NETWORK_LEN])
{
	uint8_t whole[ADDRESS_NETWORK_LEN];

	memcpy(whole, mapped, sizeof(mapped));
	if (inet_pton(AF_INET, text, whole + sizeof(mapped)) != 1 &&
	    inet_pton(AF_INET6, text, whole) != 1)
		return ERR_MALFORMED;
	if (memcmp(whole, mapped, sizeof(mapped)) != 0)
		memset(whole + 8, 0, 8);
	memcpy(network, whole, sizeof(whole));
	return ERR_OK;
}
