#include <fcntl.h>
#include <unistd.h>

#include "bounds.h"
#include "certificate.h"
#include "crypto.h"

enum err certificate_end(const char *path, int64_t *ret)
{
	char pem[LIMIT_SECRET_FILE + 1];
	ssize_t len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return ERR_NOT_FOUND;
	len = read(fd, pem, sizeof(pem));
	close(fd);
	if (len < 0 || len > LIMIT_SECRET_FILE)
		return ERR_MALFORMED;
	return crypto_certificates_end(pem, (size_t)len, ret);
}
