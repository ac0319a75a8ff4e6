#include <curl/curl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "chunked.h"
#include "clock.h"
#include "metrics.h"
#include "name.h"
#include "s3.h"
#include "sigv4.h"

enum {
	ORIGIN_MAX = 300,    /* bytes of STORE_URL */
	URL_MAX = 1024,      /* bytes of a request's URL: the longest is that of a listing */
	AUTH_MAX = 1024,     /* bytes of an Authorization header */
	HEADER_MAX = 1152,   /* bytes of a header line: the longest is that one */
	HEADERS = 9,         /* that are signed */
	IDLE_MAX = 20,       /* seconds; MinIO closes idle connections after 30 */
	UNANSWERED_MAX = 20, /* seconds in which a peer that lives has acknowledged what was sent */
	SLOW_BYTES = 1024,   /* a second: the backstop to the limit for the whole request */
	SLOW_TIME = 30,      /* seconds of being so slow */
	CONTINUE_WAIT = 1000, /* milliseconds for 100 Continue; some stores never say it */
	POLL_MAX = 1000       /* milliseconds; curl wakes earlier when one of its limits is near */
};

struct s3 {
	const struct s3_config *config;
	CURLM *multi; /* keeps the connection; the handle of a request lives no longer than it */
	char origin[ORIGIN_MAX]; /* scheme, host and port */
	const char *host;        /* the value of Host: a part of ${origin} */
	struct sigv4 sigv4;
	struct chunked body;
	const char *request_id; /* of the client's request */
	const char *traceparent;
};

/* One request and its answer, by one or two attempts. */
struct transfer {
	struct s3 *s3;
	const struct s3_request *request;
	const struct store_object *object; /* the request's */
	struct s3_answer *answer;
	struct buf url;
	struct buf authorization;
	char date[SIGV4_DATE_LEN + 1];
	char body_length[24];
	char object_length[24];
	struct sigv4_header headers[HEADERS];
	size_t n_headers;
	int64_t begun;    /* milliseconds of the monotonic clock */
	int64_t deadline; /* for all attempts, by the same clock */
	int64_t pulling;  /* milliseconds that went into pulling the body */
	bool several;     /* the body has more than one chunk */
	bool first_gone;  /* the first chunk is no longer in the buffer */
	enum err err;     /* of what was pulled */

	/* This attempt. */
	size_t sent;    /* bytes of the frame in hand that curl has taken */
	bool fresh;     /* the connection was made for it */
	bool asked;     /* it waits for 100 Continue */
	bool continued; /* which came */
	bool answered;  /* a final status came, */
	bool hasty;     /* and it was a success before the body's end */
	char error[CURL_ERROR_SIZE];
};

/* Whether ${origin} is a URL to curl too: the port, and the form of an address. */
static enum err check_by_curl(const char *origin)
{
	CURLU *url = curl_url();
	CURLUcode code = CURLUE_OUT_OF_MEMORY;

	if (url != NULL)
		code = curl_url_set(url, CURLUPART_URL, origin, 0);
	curl_url_cleanup(url);
	if (code == CURLUE_OK)
		return ERR_OK;
	return code == CURLUE_OUT_OF_MEMORY ? ERR_NOMEM : ERR_MALFORMED;
}

/* Copy ${url} to ${origin}, without a slash at its end; set *${ret_host} to where the host begins.
 */
static enum err parse_url(const char *url, char origin[ORIGIN_MAX], size_t *ret_host)
{
	static const char host_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					      "0123456789.-_:[]";
	size_t host = strncmp(url, "http://", 7) == 0    ? 7
	              : strncmp(url, "https://", 8) == 0 ? 8
	                                                 : 0;
	size_t end = host + strspn(url + host, host_characters);
	enum err err = ERR_OK;

	if (host == 0 || end == host || end >= ORIGIN_MAX ||
	    (strcmp(url + end, "") != 0 && strcmp(url + end, "/") != 0))
		return ERR_MALFORMED;
	memcpy(origin, url, end);
	origin[end] = '\0';
	err = check_by_curl(origin);
	if (err != ERR_OK)
		return err;
	*ret_host = host;
	return ERR_OK;
}

void s3_check(const struct s3_config *config, struct buf *problems)
{
	char origin[ORIGIN_MAX];
	size_t host = 0;

	if (config->url != NULL && parse_url(config->url, origin, &host) == ERR_MALFORMED)
		buf_puts(problems,
		         "STORE_URL: must be http:// or https://, a host, perhaps a port, "
		         "and nothing else\n");
	if (config->bucket != NULL && !name_is_bucket(config->bucket))
		buf_puts(problems, "STORE_BUCKET: " NAME_BUCKET_RULE "\n");
	sigv4_check(&config->access_key, config->region, problems);
}

enum err s3_new(const struct s3_config *config, struct s3 **ret)
{
	struct s3 *s3 = NULL;
	size_t host = 0;
	enum err err = ERR_OK;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return ERR_NOMEM;
	s3 = calloc(1, sizeof(*s3));
	if (s3 == NULL) {
		curl_global_cleanup();
		return ERR_NOMEM;
	}
	s3->config = config;
	s3_trace(s3, "", "");
	err = parse_url(config->url, s3->origin, &host);
	if (err == ERR_OK && !name_is_bucket(config->bucket))
		err = ERR_MALFORMED;
	if (err == ERR_OK)
		err = sigv4_init(&s3->sigv4, &config->access_key, &config->secret_key,
		                 config->region);
	if (err != ERR_OK)
		goto out;
	s3->host = s3->origin + host;
	err = ERR_NOMEM;
	s3->multi = curl_multi_init();
	if (s3->multi == NULL || curl_multi_setopt(s3->multi, CURLMOPT_MAXCONNECTS, 1L) != CURLM_OK)
		goto out;
	*ret = s3;
	return ERR_OK;
out:
	s3_free(s3);
	return err;
}

void s3_free(struct s3 *s3)
{
	if (s3 == NULL)
		return;
	curl_multi_cleanup(s3->multi);
	sigv4_wipe(&s3->sigv4);
	free(s3);
	curl_global_cleanup();
}

void s3_trace(struct s3 *s3, const char *id, const char *traceparent)
{
	s3->request_id = id;
	s3->traceparent = traceparent;
}

static enum chunked_mode mode_of(const struct s3 *s3)
{
	return s3->config->trusted ? CHUNKED_TRAILER : CHUNKED_SIGNED;
}

/* The headers that are signed when there is no body, in the order of their names. */
static void list_bare_headers(struct transfer *transfer)
{
	const struct sigv4_header headers[] = {
	    {"host", transfer->s3->host},
	    {"x-amz-content-sha256", SIGV4_EMPTY_SHA256},
	    {"x-amz-date", transfer->date},
	};

	memcpy(transfer->headers, headers, sizeof(headers));
	transfer->n_headers = sizeof(headers) / sizeof(headers[0]);
}

/* The same for the body of ${transfer}. */
static void list_body_headers(struct transfer *transfer)
{
	const struct s3 *s3 = transfer->s3;
	const struct sigv4_header headers[HEADERS] = {
	    {"content-encoding", "aws-chunked"},
	    {"content-length", transfer->body_length},
	    {"content-type", transfer->object->type},
	    {"host", s3->host},
	    {"if-none-match", "*"},
	    {"x-amz-content-sha256", chunked_payload(mode_of(s3))},
	    {"x-amz-date", transfer->date},
	    {"x-amz-decoded-content-length", transfer->object_length},
	    {"x-amz-trailer", "x-amz-checksum-crc32c"},
	};

	memcpy(transfer->headers, headers, sizeof(headers));
	transfer->n_headers = mode_of(s3) == CHUNKED_TRAILER ? HEADERS : HEADERS - 1;
}

/* The path of the request's object, or of the bucket. */
static void write_path(const struct transfer *transfer, char path[URL_MAX])
{
	(void)snprintf(path, URL_MAX, "/%s/%s", transfer->s3->config->bucket,
	               transfer->request->key);
}

static enum err make_url(struct transfer *transfer)
{
	struct buf *url = &transfer->url;
	char path[URL_MAX];

	write_path(transfer, path);
	buf_puts(url, transfer->s3->origin);
	sigv4_uri_encode(url, path, true);
	if (transfer->request->query[0] != '\0')
		buf_printf(url, "?%s", transfer->request->query);
	return buf_err(url);
}

/* Note the lengths of the body of ${transfer}, and the headers that come with it. */
static void announce_body(struct transfer *transfer)
{
	int64_t length = transfer->object->length;

	(void)snprintf(transfer->body_length, sizeof(transfer->body_length), "%" PRId64,
	               chunked_length(mode_of(transfer->s3), length));
	(void)snprintf(transfer->object_length, sizeof(transfer->object_length), "%" PRId64,
	               length);
	list_body_headers(transfer);
}

/* Sign the request for ${transfer} and make its URL; begin its body. */
static enum err prepare(struct transfer *transfer)
{
	struct s3 *s3 = transfer->s3;
	int64_t length = transfer->object == NULL ? 0 : transfer->object->length;
	int64_t mebibytes = (length + (1 << 20) - 1) >> 20;
	char path[URL_MAX];
	char signature[SIGV4_SIGNATURE_LEN + 1];
	struct sigv4_request request = {
	    .method = transfer->request->method, .path = path, .query = transfer->request->query};
	enum err err = make_url(transfer);

	transfer->begun = clock_steady_ms();
	transfer->deadline = transfer->begun + s3->config->timeout_ms + 1000 * mebibytes;
	sigv4_date(time(NULL), transfer->date);
	if (transfer->object == NULL)
		list_bare_headers(transfer);
	else
		announce_body(transfer);
	write_path(transfer, path);
	request.headers = transfer->headers;
	request.n_headers = transfer->n_headers;
	if (err == ERR_OK)
		err = sigv4_sign(&s3->sigv4, &request, &transfer->authorization, signature);
	if (err != ERR_OK)
		return err == ERR_NOMEM ? ERR_NOMEM : ERR_INTERNAL;
	if (transfer->object != NULL)
		chunked_begin(&s3->body, mode_of(s3), length, &s3->sigv4, transfer->date,
		              signature);
	return ERR_OK;
}

/* Pull the next chunk into the buffer. */
static enum err next_chunk(struct transfer *transfer)
{
	const struct store_object *object = transfer->object;
	int64_t start = clock_steady_ms();

	transfer->err = chunked_next(&transfer->s3->body, object->pull, object->ctx);
	transfer->pulling += clock_steady_ms() - start;
	transfer->sent = 0;
	return transfer->err;
}

/* Whether curl has taken all of the body, if there is one. */
static bool all_sent(const struct transfer *transfer)
{
	const struct chunked *body = &transfer->s3->body;

	return transfer->object == NULL || (body->left == 0 && transfer->sent == body->frame_len);
}

static size_t on_read(char *data, size_t size, size_t count, void *ctx)
{
	struct transfer *transfer = ctx;
	const struct chunked *body = &transfer->s3->body;
	size_t len = size * count;

	/* curl stops waiting for 100 Continue after a while.  A kept connection might be dead then.
	 */
	if (transfer->asked && !transfer->continued && !transfer->fresh)
		return CURL_READFUNC_ABORT;
	if (all_sent(transfer))
		return 0;
	if (transfer->sent == body->frame_len) {
		transfer->first_gone = true;
		if (next_chunk(transfer) != ERR_OK)
			return CURL_READFUNC_ABORT;
	}
	if (len > body->frame_len - transfer->sent)
		len = body->frame_len - transfer->sent;
	memcpy(data, body->frame + transfer->sent, len);
	transfer->sent += len;
	return len;
}

/* Status lines tell whether the connection lives; the rest is asked of curl at the end. */
static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
	struct transfer *transfer = ctx;
	size_t len = size * count;

	if (len >= 12 && memcmp(data, "HTTP/1.", 7) == 0) {
		transfer->continued |= memcmp(data + 9, "100", 3) == 0;
		transfer->answered |= data[9] != '1';
		/* curl would go on and send the rest, and then the answer would look timely. */
		transfer->hasty |= data[9] == '2' && !all_sent(transfer);
	}
	return transfer->hasty ? CURL_WRITEFUNC_ERROR : len;
}

static size_t on_answer(char *data, size_t size, size_t count, void *ctx)
{
	const struct transfer *transfer = ctx;
	struct buf *body = &transfer->answer->body;

	buf_put(body, data, size * count);
	return buf_err(body) == ERR_OK ? size * count : CURL_WRITEFUNC_ERROR;
}

static int on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	struct transfer *transfer = ctx;
	unsigned int limit = UNANSWERED_MAX * 1000;

	(void)purpose;
	transfer->fresh = true;
	/* A host that vanished without a word is noticed long before the request's own limit. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof(limit));
	return CURL_SOCKOPT_OK;
}

static enum err add_header(struct curl_slist **list, const char *name, const char *value)
{
	char line[HEADER_MAX];
	struct curl_slist *longer = NULL;

	(void)snprintf(line, sizeof(line), "%s: %s", name, value);
	longer = curl_slist_append(*list, line);
	if (longer == NULL)
		return ERR_NOMEM;
	*list = longer;
	return ERR_OK;
}

/* The header lines for curl, which makes content-length itself. */
static enum err make_headers(const struct transfer *transfer, struct curl_slist **list)
{
	/* An empty value takes out what curl would send by itself. */
	const char *expect = transfer->asked ? "100-continue" : "";
	enum err err = add_header(list, "authorization", buf_str(&transfer->authorization));

	for (size_t i = 0; err == ERR_OK && i < transfer->n_headers; i++) {
		if (strcmp(transfer->headers[i].name, "content-length") != 0)
			err =
			    add_header(list, transfer->headers[i].name, transfer->headers[i].value);
	}
	if (err == ERR_OK && transfer->s3->request_id[0] != '\0')
		err = add_header(list, "x-request-id", transfer->s3->request_id);
	if (err == ERR_OK && transfer->s3->traceparent[0] != '\0')
		err = add_header(list, "traceparent", transfer->s3->traceparent);
	if (err == ERR_OK)
		err = add_header(list, "accept", "");
	if (err == ERR_OK)
		err = add_header(list, "expect", expect);
	return err;
}

/* What every request has in common. */
static bool set_limits(CURL *easy, const struct transfer *transfer)
{
	const struct s3_config *config = transfer->s3->config;
	int64_t left = transfer->deadline - clock_steady_ms();
	const struct {
		CURLoption option;
		long value;
	} limits[] = {
	    {CURLOPT_NOSIGNAL, 1},
	    {CURLOPT_QUICK_EXIT, 1}, /* do not wait for a resolver that hangs */
	    {CURLOPT_CONNECTTIMEOUT_MS, (long)config->connect_timeout_ms},
	    {CURLOPT_TIMEOUT_MS, left > 0 ? (long)left : 1} /* 0 would be no limit */,
	    {CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES},
	    {CURLOPT_LOW_SPEED_TIME, SLOW_TIME},
	    {CURLOPT_EXPECT_100_TIMEOUT_MS, CONTINUE_WAIT},
	    {CURLOPT_DNS_CACHE_TIMEOUT, 0}, /* the store may come back with another address */
	    {CURLOPT_MAXAGE_CONN, IDLE_MAX},
	    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
	    {CURLOPT_UPLOAD_BUFFERSIZE, CHUNKED_FRAME_MAX},
	    {CURLOPT_UPLOAD, transfer->object != NULL},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (curl_easy_setopt(easy, limits[i].option, limits[i].value) != CURLE_OK)
			return false;
	}
	return true;
}

static bool set_callbacks(CURL *easy, struct transfer *transfer)
{
	return curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_READDATA, transfer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, transfer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error) == CURLE_OK;
}

static bool set_request(CURL *easy, const struct transfer *transfer, struct curl_slist *headers,
                        bool reconnect)
{
	const struct store_object *object = transfer->object;
	curl_off_t length =
	    object == NULL ? 0 : chunked_length(mode_of(transfer->s3), object->length);

	return curl_easy_setopt(easy, CURLOPT_URL, buf_str(&transfer->url)) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, transfer->request->method) ==
	           CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       /* The environment's proxies are not for the store. */
	       curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, length) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, reconnect ? 1L : 0L) == CURLE_OK;
}

static CURLcode perform(CURLM *multi, CURL *easy)
{
	CURLcode code = CURLE_FAILED_INIT;
	const CURLMsg *message = NULL;
	int running = 1;
	int left = 0;

	if (curl_multi_add_handle(multi, easy) != CURLM_OK)
		return CURLE_OUT_OF_MEMORY;
	while (running > 0) {
		if (curl_multi_perform(multi, &running) != CURLM_OK ||
		    (running > 0 && curl_multi_poll(multi, NULL, 0, POLL_MAX, NULL) != CURLM_OK))
			break;
	}
	message = curl_multi_info_read(multi, &left);
	if (message != NULL && message->msg == CURLMSG_DONE)
		code = message->data.result;
	curl_multi_remove_handle(multi, easy);
	return code;
}

/* Copy the one value of the final answer's header ${name}; nothing if it is absent or too long. */
static void copy_header(CURL *easy, const char *name, char *value, size_t size)
{
	struct curl_header *header = NULL;

	value[0] = '\0';
	if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK &&
	    header->amount == 1 && strlen(header->value) < size)
		(void)snprintf(value, size, "%s", header->value);
}

/* Whose fault it is that the time is over: the store's, unless most of it went into pulling. */
static enum err overdue(const struct transfer *transfer)
{
	return 2 * transfer->pulling > clock_steady_ms() - transfer->begun ? ERR_SLOW : ERR_TIMEOUT;
}

/* Fill in the answer of ${transfer}, after curl said ${code}. */
static enum err conclude(const struct transfer *transfer, CURL *easy, CURLcode code, char *why)
{
	struct s3_answer *answer = transfer->answer;

	if (transfer->err != ERR_OK)
		return transfer->err;
	if (transfer->hasty) {
		(void)snprintf(why, STORE_WHY_LEN, "the store answered before the body's end");
		return ERR_UNAVAILABLE;
	}
	if (code != CURLE_OK) {
		(void)snprintf(why, STORE_WHY_LEN, "the store: %.120s",
		               transfer->error[0] != '\0' ? transfer->error
		                                          : curl_easy_strerror(code));
		return code == CURLE_OPERATION_TIMEDOUT ? overdue(transfer)
		       : code == CURLE_OUT_OF_MEMORY    ? ERR_NOMEM
		                                        : ERR_UNAVAILABLE;
	}
	if (curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer->status) != CURLE_OK)
		return ERR_INTERNAL;
	copy_header(easy, "etag", answer->etag, sizeof(answer->etag));
	copy_header(easy, "x-amz-checksum-crc32c", answer->checksum, sizeof(answer->checksum));
	answer->sent[0] = '\0';
	if (transfer->object != NULL && transfer->s3->body.mode == CHUNKED_TRAILER)
		memcpy(answer->sent, transfer->s3->body.checksum, sizeof(answer->sent));
	return ERR_OK;
}

/* Whether an attempt may have failed only because the connection that was kept had died. */
static bool may_be_stale(const struct transfer *transfer, CURLcode code)
{
	return code != CURLE_OK && code != CURLE_OPERATION_TIMEDOUT && transfer->err == ERR_OK &&
	       !transfer->fresh && !transfer->answered && !transfer->first_gone;
}

/* Try once; set *${ret_again} if another attempt, on a new connection, may help. */
static enum err attempt(struct transfer *transfer, bool reconnect, bool *ret_again, char *why)
{
	struct curl_slist *headers = NULL;
	CURL *easy = curl_easy_init();
	CURLcode code = CURLE_OK;
	enum err err = ERR_NOMEM;

	transfer->sent = 0;
	transfer->fresh = transfer->continued = transfer->answered = transfer->hasty = false;
	transfer->asked = transfer->several && !reconnect;
	transfer->error[0] = '\0';
	buf_clear(&transfer->answer->body);
	if (easy == NULL)
		goto out;
	err = make_headers(transfer, &headers);
	if (err != ERR_OK)
		goto out;
	if (!set_limits(easy, transfer) || !set_callbacks(easy, transfer) ||
	    !set_request(easy, transfer, headers, reconnect)) {
		err = ERR_NOMEM; /* the options are constants that curl is known to take */
		goto out;
	}
	code = perform(transfer->s3->multi, easy);
	*ret_again = !reconnect && may_be_stale(transfer, code);
	err = conclude(transfer, easy, code, why);
out:
	curl_easy_cleanup(easy);
	curl_slist_free_all(headers);
	return err;
}

/* The first chunk waits in the buffer, and it is known whether there are more. */
static enum err begin_body(struct transfer *transfer)
{
	enum err err = next_chunk(transfer);

	transfer->several = transfer->s3->body.left > 0;
	return err;
}

static enum metrics_timer timer_of(const char *method)
{
	if (strcmp(method, "PUT") == 0)
		return TIMER_STORE_PUT;
	return strcmp(method, "DELETE") == 0 ? TIMER_STORE_DELETE : TIMER_STORE_LIST;
}

enum err s3_send(struct s3 *s3, const struct s3_request *request, struct s3_answer *answer,
                 char why[STORE_WHY_LEN])
{
	struct transfer transfer = {.s3 = s3,
	                            .request = request,
	                            .object = request->object,
	                            .answer = answer,
	                            .url = buf_new(URL_MAX),
	                            .authorization = buf_new(AUTH_MAX)};
	int64_t start = clock_steady_us();
	bool again = false;
	enum err err = prepare(&transfer);

	why[0] = '\0';
	if (err == ERR_OK && transfer.object != NULL)
		err = begin_body(&transfer);
	if (err != ERR_OK)
		goto out;
	err = attempt(&transfer, false, &again, why);
	if (again)
		err = attempt(&transfer, true, &again, why);
out:
	metrics_since(timer_of(request->method), start);
	buf_free(&transfer.authorization);
	buf_free(&transfer.url);
	return err;
}

enum err s3_refusal(const struct s3_answer *answer, char why[STORE_WHY_LEN])
{
	const char *code = strstr(buf_str(&answer->body), "<Code>");
	size_t len = 0;

	code = code == NULL ? "" : code + strlen("<Code>");
	len = strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
	(void)snprintf(why, STORE_WHY_LEN, "the store answered %ld %.*s", answer->status,
	               len < 64 ? (int)len : 64, code);
	if (answer->status == 507 || (len == 17 && memcmp(code, "XMinioStorageFull", len) == 0) ||
	    (len == 30 && memcmp(code, "XMinioAdminBucketQuotaExceeded", len) == 0))
		return ERR_FULL;
	return ERR_UNAVAILABLE;
}
