/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "log-level.h"

#include <string.h>

#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "util.h"

/* Sets the least level of the modules 'names' at 'destination' to 'level',
 * where there are such modules. */
static void
set_modules(const char *const names[], enum vlog_destination destination,
            enum vlog_level level)
{
    for (size_t i = 0; names[i]; i++) {
        struct vlog_module *module = vlog_module_from_name(names[i]);

        if (module) { /* NULL would be all modules. */
            vlog_set_levels(module, destination, level);
        }
    }
}

void
log_level_set(const char *name)
{
    static const char *const chatty[] = { "coverage", "poll_loop", NULL };
    static const struct {
        const char *name;
        enum vlog_level level;
    } levels[] = {
        { "debug", VLL_DBG },     { "info", VLL_INFO },
        { "warning", VLL_WARN },  { "error", VLL_ERR },
        { "critical", VLL_EMER },
    };

    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        enum vlog_level level = levels[i].level;

        if (strcmp(levels[i].name, name)) {
            continue;
        }
        if (level == VLL_DBG) {
            set_modules(log_modules, VLF_CONSOLE, level);
            set_modules(log_modules, VLF_FILE, level);
        } else {
            vlog_set_levels(NULL, VLF_ANY_DESTINATION, level);
        }
        if (level == VLL_DBG || level == VLL_INFO) {
            set_modules(chatty, VLF_ANY_DESTINATION, VLL_WARN);
        }
    }
}
