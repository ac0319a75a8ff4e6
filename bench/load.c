#include <curl/curl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/*
 * load: an HTTP load generator on libcurl with keep-alive, for what wrk cannot do: bodies, S3
 * signatures, a list of addresses each asked once, and a fixed rate.
 *
 *   -m METHOD      GET
 *   -H HEADER      may come often
 *   -d FILE        the body of every request
 *   -c CLIENTS     connections, one thread each (1)
 *   -t SECONDS     stop after this time, or
 *   -n REQUESTS    after so many
 *   -r RATE        requests a second, in all, at equal distances: a request's time is then counted
 *                  from when it was due, so that one that waits for a slow one before it shows that
 *   -s             sign for S3 with the key pair in S3_KEY and S3_SECRET
 *   URLS           a file of addresses, one a line, taken in turn
 *
 * Prints one line of JSON: requests, how many had no 2xx, seconds, bytes of all answers, and
 * milliseconds of the requests: p50, p99, mean.
 */

#define HEADERS_MAX 16
#define CLIENTS_MAX 256

#define NANO INT64_C(1000000000) /* nanoseconds a second */

enum { UPLOAD_BUFFER = 256 << 10 };

struct load {
	const char *method;
	struct curl_slist *headers;
	char *body;
	size_t body_len;
	long clients;
	double seconds;
	long requests;
	double rate;
	bool sign;
	char pair[256]; /* key:secret */
	char **url;
	size_t urls;
	int64_t start; /* nanoseconds */
	long next;     /* the number of the request to come */
};

struct client {
	struct load *load;
	pthread_t thread;
	size_t sent; /* of the body in hand */
	long requests;
	long failed;
	long room;
	uint64_t bytes;
	double *millis; /* ${requests} of them */
};

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NANO + ts.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	exit(1);
}

static void *need(void *memory)
{
	if (memory == NULL)
		fail("out of memory");
	return memory;
}

static char *read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	char *data = NULL;
	long len = 0;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (len = ftell(file)) < 0)
		fail(path);
	rewind(file);
	data = need(malloc((size_t)len + 1));
	if (fread(data, 1, (size_t)len, file) != (size_t)len)
		fail(path);
	fclose(file);
	data[len] = '\0';
	*ret_len = (size_t)len;
	return data;
}

static void read_urls(struct load *load, const char *path)
{
	size_t len = 0;
	char *rest = read_file(path, &len);

	load->url = need(calloc(len + 1, sizeof(*load->url)));
	for (char *line = strtok(rest, "\n"); line != NULL; line = strtok(NULL, "\n"))
		load->url[load->urls++] = line;
	if (load->urls == 0)
		fail("no addresses");
}

static size_t swallow(char *data, size_t size, size_t n, void *arg)
{
	struct client *client = arg;

	(void)data;
	client->bytes += size * n;
	return size * n;
}

static size_t give(char *data, size_t size, size_t n, void *arg)
{
	struct client *client = arg;
	size_t left = client->load->body_len - client->sent;
	size_t len = size * n < left ? size * n : left;

	memcpy(data, client->load->body + client->sent, len);
	client->sent += len;
	return len;
}

static CURL *handle_of(struct client *client)
{
	const struct load *load = client->load;
	CURL *curl = need(curl_easy_init());

	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 120L);
	curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, load->headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, swallow);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
	if (load->body != NULL) {
		curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)load->body_len);
		curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER);
		curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
		curl_easy_setopt(curl, CURLOPT_READDATA, client);
	}
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, load->method);
	if (load->sign) {
		curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, "aws:amz:us-east-1:s3");
		curl_easy_setopt(curl, CURLOPT_USERPWD, load->pair);
	}
	return curl;
}

static void note(struct client *client, double millis)
{
	if (client->requests == client->room) {
		client->room = client->room == 0 ? 4096 : 2 * client->room;
		client->millis =
		    need(realloc(client->millis, (size_t)client->room * sizeof(*client->millis)));
	}
	client->millis[client->requests++] = millis;
}

/* Wait until request ${number} is due; return that time, or now without a rate. */
static int64_t due(const struct load *load, long number)
{
	int64_t at = load->start;
	struct timespec ts;

	if (load->rate <= 0)
		return now();
	at += (int64_t)((double)number / load->rate * NANO);
	ts = (struct timespec){.tv_sec = at / NANO, .tv_nsec = at % NANO};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) != 0)
		;
	return at;
}

static bool over(const struct load *load, long number)
{
	if (load->requests > 0)
		return number >= load->requests;
	if (load->rate > 0)
		return (double)number >= load->rate * load->seconds;
	return (double)(now() - load->start) >= load->seconds * NANO;
}

static void *run(void *arg)
{
	struct client *client = arg;
	struct load *load = client->load;
	CURL *curl = handle_of(client);
	long number = 0;

	while (number = __atomic_fetch_add(&load->next, 1, __ATOMIC_RELAXED), !over(load, number)) {
		int64_t start = due(load, number);
		long status = 0;

		client->sent = 0;
		curl_easy_setopt(curl, CURLOPT_URL, load->url[(size_t)number % load->urls]);
		if (curl_easy_perform(curl) == CURLE_OK)
			curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		if (status < 200 || status > 299)
			client->failed++;
		note(client, (double)(now() - start) / 1e6);
	}
	curl_easy_cleanup(curl);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;

	return (left > right) - (left < right);
}

static void report(const struct load *load, const struct client *clients, double seconds)
{
	long requests = 0;
	long failed = 0;
	uint64_t bytes = 0;
	double total = 0;
	double *millis = NULL;
	long n = 0;

	for (long i = 0; i < load->clients; i++) {
		requests += clients[i].requests;
		failed += clients[i].failed;
		bytes += clients[i].bytes;
	}
	if (requests == 0)
		fail("no request was made");
	millis = need(malloc((size_t)requests * sizeof(*millis)));
	for (long i = 0; i < load->clients; i++)
		for (long j = 0; j < clients[i].requests; j++)
			total += millis[n++] = clients[i].millis[j];
	qsort(millis, (size_t)requests, sizeof(*millis), compare);
	printf("{\"requests\":%ld,\"failed\":%ld,\"seconds\":%.6f,\"bytes\":%" PRIu64
	       ",\"p50\":%.4f,\"p99\":%.4f,\"mean\":%.4f}\n",
	       requests, failed, seconds, bytes, millis[requests / 2], millis[requests * 99 / 100],
	       total / (double)requests);
	free(millis);
}

static void take_pair(struct load *load)
{
	const char *key = getenv("S3_KEY");
	const char *secret = getenv("S3_SECRET");

	if (key == NULL || secret == NULL)
		fail("S3_KEY and S3_SECRET are needed");
	load->sign = true;
	(void)snprintf(load->pair, sizeof(load->pair), "%s:%s", key, secret);
}

static void options(struct load *load, int argc, char **argv)
{
	int option = 0;

	while ((option = getopt(argc, argv, "m:H:d:c:t:n:r:s")) != -1) {
		switch (option) {
		case 'm':
			load->method = optarg;
			break;
		case 'H':
			load->headers = need(curl_slist_append(load->headers, optarg));
			break;
		case 'd':
			load->body = read_file(optarg, &load->body_len);
			break;
		case 'c':
			load->clients = atol(optarg);
			break;
		case 't':
			load->seconds = atof(optarg);
			break;
		case 'n':
			load->requests = atol(optarg);
			break;
		case 'r':
			load->rate = atof(optarg);
			break;
		case 's':
			take_pair(load);
			break;
		default:
			exit(EX_USAGE);
		}
	}
	if (optind != argc - 1 || load->clients < 1 || load->clients > CLIENTS_MAX ||
	    (load->seconds <= 0) == (load->requests <= 0)) {
		fputs("usage: load [options] -t SECONDS | -n REQUESTS URLS\n", stderr);
		exit(EX_USAGE);
	}
	read_urls(load, argv[optind]);
}

int main(int argc, char **argv)
{
	struct load load = {.method = "GET", .clients = 1};
	struct client clients[CLIENTS_MAX] = {0};
	double seconds = 0;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	/* The server is asked for no 100 before a body. */
	load.headers = need(curl_slist_append(NULL, "Expect:"));
	options(&load, argc, argv);
	load.start = now();
	for (long i = 0; i < load.clients; i++) {
		clients[i].load = &load;
		if (pthread_create(&clients[i].thread, NULL, run, &clients[i]) != 0)
			fail("no thread");
	}
	for (long i = 0; i < load.clients; i++)
		pthread_join(clients[i].thread, NULL);
	seconds = (double)(now() - load.start) / NANO;
	report(&load, clients, seconds);
	return 0;
}
