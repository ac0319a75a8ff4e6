#ifndef TESTS_UNIT_FAULTS_H
#define TESTS_UNIT_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

/*
 * Faults at every place where one can be: the allocator of the test programs (malloc and its kin,
 * as this thread calls them, in libraries too), and wherever a test's stand-in for a stream or a
 * store asks fault_due().
 */

/* What is tried.  It checks what it made if it returns ERR_OK, and frees it in any case. */
typedef enum err fault_operation(void *ctx);

/*
 * Run ${operation} with the first fault, the second, and so on until it meets none, which must end
 * with ERR_OK; each fault alone, and with all that follow it.  With a fault it must end with ERR_OK
 * all the same, with ERR_NOMEM, or with ${also}.  There must be at least one.
 */
void fault_each(fault_operation *operation, void *ctx, enum err also);

/* Whether this step is to fail; counts it.  Never outside of fault_each(). */
bool fault_due(void);

/* How many steps were counted: what a forked child reports, so that its parent can count them too.
 */
size_t fault_steps(void);

/* No faults, and no counting, from a pause until fault_resume(): for what belongs to the test. */
void fault_pause(void);
void fault_resume(void);

#endif
