#ifndef FCGI_SECURITY_ACCOUNT_H
#define FCGI_SECURITY_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "bounds.h"
#include "db.h"
#include "err.h"
#include "password.h"

/* An account, as far as the function that filled it says. */
struct account {
	char id[ACCOUNT_ID_LEN + 1];
	char login[LIMIT_LOGIN + 1];
	char password_hash[PASSWORD_HASH_SIZE]; /* empty if the stored one is too long to be any */
	int64_t generation;                     /* tokens of any other one are dead */
	int64_t created_at;                     /* seconds since 1970 */
	bool disabled;
};

/*
 * Where accounts are kept.  Handlers know the database by these functions only.  Each takes ${ctx}
 * first, blocks for a bounded time, and can also fail with ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_NOMEM
 * and ERR_INTERNAL; why() then says what happened, for the log.  Outputs are untouched on failure.
 * ${address} is the client's, for the audit; what is no address is left out of it.
 */
struct account_store {
	void *ctx;

	/*
	 * Make an account and set ${ret_id}.  ERR_CONFLICT: the login is taken, without regard to
	 * case.  After ERR_UNAVAILABLE or ERR_TIMEOUT the account may exist: nothing is tried
	 * twice.
	 */
	enum err (*create)(void *ctx, const char *login, const char *password_hash,
	                   const char *address, char ret_id[ACCOUNT_ID_LEN + 1]);

	/* Set *${ret} to whether ${login} is taken, without regard to case. */
	enum err (*login_taken)(void *ctx, const char *login, bool *ret);

	/* Fill *${ret} but for created_at.  ERR_NOT_FOUND. */
	enum err (*by_login)(void *ctx, const char *login, struct account *ret);

	/* Fill *${ret} but for password_hash.  ERR_NOT_FOUND. */
	enum err (*by_id)(void *ctx, const char *id, struct account *ret);

	/* Record a login of ${id}. */
	enum err (*logged_in)(void *ctx, const char *id, const char *address);

	/* Record an attempt to log in as ${login}, which may be nobody. */
	enum err (*login_failed)(void *ctx, const char *login, const char *address);

	/* Replace the hash of ${id} by ${new_hash} if it still is ${old_hash}. */
	enum err (*rehash)(void *ctx, const char *id, const char *old_hash, const char *new_hash);

	/*
	 * End all tokens of ${id}, whose bearer has one of ${generation}.  ERR_TOKEN: those are
	 * dead already, and nothing was done.
	 */
	enum err (*log_out)(void *ctx, const char *id, int64_t generation, const char *address);

	/*
	 * Replace the hash of ${account} by ${new_hash} and end all its tokens, if generation and
	 * password_hash still are as ${account} says.  ERR_TOKEN: they are not, and nothing was
	 * done.  After ERR_UNAVAILABLE or ERR_TIMEOUT it may have been done: nothing is tried
	 * twice.
	 */
	enum err (*change_password)(void *ctx, const struct account *account, const char *new_hash,
	                            const char *address);

	/* What went wrong last, in one line without secrets; valid until the next call. */
	const char *(*why)(void *ctx);
};

/* The accounts of the database ${db}, which is borrowed. */
struct account_store account_store(struct db *db);

#endif
