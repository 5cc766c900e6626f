/* Tables that no Rust plugin can have; which, a macro of the compiler's command line says. */
#include <stddef.h>
#include <string.h>
#include "linodetool_plugin.h"

#if defined(CASE_undefined)
extern int nobody_has_this(void);
int uses_it(void) { return nobody_has_this(); }
#endif

#if !defined(CASE_no_symbol)

#if defined(CASE_messages_2)
static char manifest[] = "{\"name\":\"wrong\",\"messages\":\"2.0\"}";
#elif defined(CASE_messages_0)
static char manifest[] = "{\"name\":\"wrong\",\"messages\":\"0.9\"}";
#elif defined(CASE_bad_manifest)
static char manifest[] = "{\"name\":";
#else
static char manifest[] = "{\"name\":\"wrong\",\"messages\":\"1.0\"}";
#endif

static lt_out describe(void) {
    lt_out out = { NULL, 0, 0 };
#if !defined(CASE_no_manifest)
    out.ptr = (uint8_t *)manifest;
    out.len = strlen(manifest);
#endif
    return out;
}

static int32_t open_it(lt_in config, void **instance, lt_out *error) {
    (void)config;
    (void)error;
#if defined(CASE_silent_open)
    (void)instance;
    return 7;
#elif defined(CASE_open_without_instance)
    (void)instance;
    return 0;
#else
    *instance = manifest;
    return 0;
#endif
}

static lt_out step(void *instance, lt_in messages) {
    lt_out out = { NULL, 0, 0 };
    (void)instance;
    (void)messages;
    return out;
}

static void close_it(void *instance) { (void)instance; }

static void release(lt_out out) { (void)out; }

static const lt_plugin table = {
#if defined(CASE_newer_abi)
    LINODETOOL_ABI + 1,
#elif defined(CASE_older_abi)
    0,
#else
    LINODETOOL_ABI,
#endif
#if defined(CASE_small)
    8,
#else
    sizeof(lt_plugin),
#endif
    describe, open_it,
#if defined(CASE_null_step)
    NULL,
#else
    step,
#endif
    close_it, release
};

LT_EXPORT const lt_plugin *linodetool_plugin(void) {
#if defined(CASE_null_table)
    (void)table;
    return NULL;
#else
    return &table;
#endif
}

#endif
