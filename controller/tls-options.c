/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tls-options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#ifdef HAVE_OPENSSL
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

#include "openvswitch/util.h"
#include "own-files.h"
#include "stream-ssl.h"
#include "util.h"

/* Returns what keeps the file 'name', which is the argument of 'option', from
 * being read. */
static char *
check_readable(const char *option, const char *name)
{
    return (access(name, R_OK) ? xasprintf("%s: cannot read \"%s\": %s",
                                           option, name, ovs_strerror(errno))
                               : NULL);
}

static char *
check_protocols(const char *protocols)
{
    static const char separators[] = " ,\t"; /* libopenvswitch's. */
    char *copy = xstrdup(protocols);
    char *save = NULL;
    char *word = strtok_r(copy, separators, &save);
    bool valid = word != NULL;

    for (; valid && word; word = strtok_r(NULL, separators, &save)) {
        valid = (!strcasecmp(word, "TLSv1") || !strcasecmp(word, "TLSv1.1")
                 || !strcasecmp(word, "TLSv1.2"));
    }
    free(copy);
    return valid ? NULL
                 : xasprintf("--ssl-protocols: \"%s\" is not a list of TLSv1, "
                             "TLSv1.1 and TLSv1.2",
                             protocols);
}

#ifdef HAVE_OPENSSL
static char *
check_certificates(const char *option, const char *name)
{
    char *error = check_readable(option, name);
    if (error) {
        return error;
    }

    STACK_OF(X509_NAME) *subjects = SSL_load_client_CA_file(name);
    if (!subjects) {
        return xasprintf("%s: \"%s\" is not a file of certificates in PEM "
                         "format",
                         option, name);
    }
    sk_X509_NAME_pop_free(subjects, X509_NAME_free);
    return NULL;
}

static char *
check_authorities(const struct tls_options *o)
{
    char *error = NULL;

    if (o->ca_cert && strcmp(o->ca_cert, "none")) {
        error = check_certificates("--ca-cert", o->ca_cert);
    }
    if (!error && o->bootstrap_ca_cert) {
        error =
            (access(o->bootstrap_ca_cert, F_OK) && errno == ENOENT
                 ? own_file_check("--bootstrap-ca-cert", o->bootstrap_ca_cert)
                 : check_certificates("--bootstrap-ca-cert",
                                      o->bootstrap_ca_cert));
    }
    if (!error && o->peer_ca_cert) {
        error = check_certificates("--peer-ca-cert", o->peer_ca_cert);
    }
    return error;
}

/* Tries the key, the certificate and the ciphers out in 'ctx'. */
static char *
check_identity(const struct tls_options *o, SSL_CTX *ctx)
{
    char *error = NULL;

    if (o->private_key) {
        error = check_readable("--private-key", o->private_key);
        if (!error
            && SSL_CTX_use_PrivateKey_file(ctx, o->private_key,
                                           SSL_FILETYPE_PEM)
                   != 1) {
            error = xasprintf("--private-key: \"%s\" is not a private key in "
                              "PEM format",
                              o->private_key);
        }
    }
    if (!error && o->certificate) {
        error = check_readable("--certificate", o->certificate);
        if (!error
            && SSL_CTX_use_certificate_file(ctx, o->certificate,
                                            SSL_FILETYPE_PEM)
                   != 1) {
            error = xasprintf("--certificate: \"%s\" is not a certificate in "
                              "PEM format",
                              o->certificate);
        }
    }
    if (!error && o->private_key && o->certificate
        && !SSL_CTX_check_private_key(ctx)) {
        error = xasprintf("--certificate: \"%s\" is not that of the key "
                          "\"%s\" (--private-key)",
                          o->certificate, o->private_key);
    }
    if (!error && o->ciphers && !SSL_CTX_set_cipher_list(ctx, o->ciphers)) {
        error = xasprintf("--ssl-ciphers: \"%s\" is not a list of ciphers of "
                          "OpenSSL (ciphers(1))",
                          o->ciphers);
    }
    return error;
}

static char *
check_files(const struct tls_options *o)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    char *error = (ctx ? check_identity(o, ctx)
                       : xstrdup("OpenSSL cannot be initialized"));

    SSL_CTX_free(ctx);
    if (!error) {
        error = check_authorities(o);
    }
    ERR_clear_error();
    return error;
}
#else  /* !HAVE_OPENSSL */
static char *
check_files(const struct tls_options *o OVS_UNUSED)
{
    return xstrdup("this Open vSwitch has been built without SSL");
}
#endif /* !HAVE_OPENSSL */

/* Returns what is missing for 'target', which 'name' says. */
static char *
check_target(const struct tls_options *o, const char *name, const char *target)
{
    const char *missing = (!o->private_key   ? "--private-key"
                           : !o->certificate ? "--certificate"
                           : !o->ca_cert && !o->bootstrap_ca_cert ? "--ca-cert"
                                                                  : NULL);

    return (target && !strncmp(target, "ssl:", 4) && missing
                ? xasprintf("%s: \"%s\" needs %s; ssl: goes with "
                            "--private-key, --certificate and --ca-cert",
                            name, target, missing)
                : NULL);
}

char *
tls_options_check(const struct tls_options *o, const char *switch_target,
                  const char *database)
{
    bool any = (o->private_key || o->certificate || o->ca_cert
                || o->bootstrap_ca_cert || o->peer_ca_cert || o->ciphers);
    char *error = o->protocols ? check_protocols(o->protocols) : NULL;

    if (!error && any) {
        error = check_files(o);
    }
    if (!error) {
        error = check_target(o, "--switch", switch_target);
    }
    return error ? error : check_target(o, "--db", database);
}

void
tls_options_use(const struct tls_options *o)
{
    if (o->private_key) {
        stream_ssl_set_private_key_file(o->private_key);
    }
    if (o->certificate) {
        stream_ssl_set_certificate_file(o->certificate);
    }
    if (o->ca_cert) {
        stream_ssl_set_ca_cert_file(o->ca_cert, false);
    }
    if (o->bootstrap_ca_cert) {
        stream_ssl_set_ca_cert_file(o->bootstrap_ca_cert, true);
    }
    if (o->peer_ca_cert) {
        stream_ssl_set_peer_ca_cert_file(o->peer_ca_cert);
    }
    if (o->protocols) {
        stream_ssl_set_protocols(o->protocols);
    }
    if (o->ciphers) {
        stream_ssl_set_ciphers(o->ciphers);
    }
}
