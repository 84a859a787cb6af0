/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_TLS_OPTIONS_H
#define SNOWRELAY_TLS_OPTIONS_H 1

/* TLS options: keys and certificates for connections of the kind "ssl:".
 *
 * libopenvswitch logs what is wrong with them, and goes on without; a
 * connection then fails each time that it is tried.  Here it is found out at
 * the start. */

#include <stddef.h>

#include "openvswitch/compiler.h"

/* The arguments of the options, NULL where one was not given. */
struct tls_options {
    const char *private_key;
    const char *certificate;
    const char *ca_cert;           /* Or "none". */
    const char *bootstrap_ca_cert; /* Is made if it is not there. */
    const char *peer_ca_cert;
    const char *protocols;
    const char *ciphers;
};

/* Checks that the files are what they should be, and that all is there that
 * the connection methods of --switch and --db need, which may be NULL.
 * Returns NULL, or a message that the caller frees. */
char *tls_options_check(const struct tls_options *, const char *switch_target,
                        const char *database) OVS_WARN_UNUSED_RESULT;

/* Gives them, which have been checked, to libopenvswitch. */
void tls_options_use(const struct tls_options *);

#endif /* tls-options.h */
