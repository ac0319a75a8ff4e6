#ifndef LIB_BOUNDS_H
#define LIB_BOUNDS_H

/* The maximum of everything that an outsider can make grow, each with its reason. */

#define LIMIT_JSON_BODY     8192 /* bytes; a login and a password with every character escaped fit */
#define LIMIT_JSON_MEMBERS  16   /* no request has more than 2; a few unknown ones do no harm */
#define LIMIT_TOKEN         4096               /* bytes; ours have about 400 */
#define LIMIT_AUTHORIZATION (LIMIT_TOKEN + 16) /* "Bearer " and some spaces */
#define LIMIT_LOGIN         64                 /* characters; api */
#define LIMIT_PASSWORD      1024   /* bytes; hashing time does not depend on it beyond one block */
#define LIMIT_HEADER_BLOCK  4096   /* bytes of response header that a worker may write */
#define LIMIT_RESPONSE_BODY 262144 /* bytes of response body: all metrics are the largest */
#define LIMIT_LOG_LINE      4096   /* bytes; up to PIPE_BUF (4096) a line is written whole */
#define LIMIT_SECRET_FILE   65536  /* bytes; a file of keys */
#define LIMIT_PROBLEMS      8192   /* bytes for the list of what is wrong with a configuration */

#define ACCOUNT_ID_LEN 16 /* characters of [0-9a-v]: 80 bits */

#endif
