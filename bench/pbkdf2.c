#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

/*
 * pbkdf2 ROUNDS CALLS: the CPU time in microseconds of one bare PKCS5_PBKDF2_HMAC call with
 * SHA-256, the mean of CALLS.  The reference for a login.
 */

static double cpu_micros(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return 1e6 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

int main(int argc, char **argv)
{
	static const unsigned char salt[16] = "0123456789abcdef";
	static const char password[] = "correct horse battery";
	unsigned char key[32];
	double start = 0;
	int rounds = argc == 3 ? atoi(argv[1]) : 0;
	int calls = argc == 3 ? atoi(argv[2]) : 0;

	if (rounds < 1 || calls < 1) {
		fputs("usage: pbkdf2 ROUNDS CALLS\n", stderr);
		return 64;
	}
	start = cpu_micros();
	for (int i = 0; i < calls; i++)
		if (PKCS5_PBKDF2_HMAC(password, sizeof(password) - 1, salt, sizeof(salt), rounds,
		                      EVP_sha256(), sizeof(key), key) != 1)
			return 1;
	printf("%.0f\n", (cpu_micros() - start) / calls);
	return 0;
}
