/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_INSPECT_H
#define SNOWRELAY_INSPECT_H 1

/* Inspection: which process variables are searched for in the frames that are
 * relayed. */

/* Whose searches are looked into; bits. */
enum {
    INSPECT_PVA = 1, /* EPICS PVAccess. */
    INSPECT_CA = 2   /* EPICS Channel Access. */
};

#endif /* inspect.h */
