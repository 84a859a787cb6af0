/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PRINT_FLOWS_H
#define SNOWRELAY_PRINT_FLOWS_H 1

/* Printing what the switch would be told, as commands for a shell. */

#include "openvswitch/compiler.h"

struct config;

/* Prints on stdout the commands that give a switch what snowrelayd would give
 * it for 'config', as far as this host knows it without asking the switch.
 * What it does not know is said in comments.  Returns NULL, or a message that
 * the caller frees. */
char *print_flows(const struct config *config) OVS_WARN_UNUSED_RESULT;

#endif /* print-flows.h */
