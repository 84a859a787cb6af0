/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "subnets.h"

#include "openvswitch/util.h"
#include "packets.h"
#include "util.h"

void
subnets_clear(struct subnets *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->texts[i]);
    }
    free(s->texts);
    free(s->all);
    *s = (struct subnets){ .n = 0 };
}

char *
subnets_add(struct subnets *s, size_t max, const char *source,
            const char *text)
{
    struct subnet subnet;

    if (!subnet_from_text(text, &subnet)) {
        return xasprintf("%s: \"%s\" is not an address or ADDRESS/PREFIX",
                         source, text);
    }
    if (s->n >= max) {
        return xasprintf("%s: more than %" PRIuSIZE " subnets", source, max);
    }
    s->all = xrealloc(s->all, (s->n + 1) * sizeof *s->all);
    s->texts = xrealloc(s->texts, (s->n + 1) * sizeof *s->texts);
    s->texts[s->n] = xstrdup(text);
    s->all[s->n++] = subnet;
    return NULL;
}

bool
subnets_contain_ipv4(const struct subnets *s, ovs_be32 address)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct subnet *subnet = &s->all[i];
        ovs_be32 network = in6_addr_get_mapped_ipv4(&subnet->address);

        if (!((network ^ address) & be32_prefix_mask(subnet->prefix - 96))) {
            return true;
        }
    }
    return false;
}
