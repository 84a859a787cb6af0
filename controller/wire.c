/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire.h"

#include <string.h>

bool
wire_decode(uint8_t *datagram, size_t length, uint8_t **frame,
            size_t *frame_length)
{
    if (length < WIRE_HEADER_LEN
        || memcmp(datagram, WIRE_MAGIC, WIRE_HEADER_LEN)) {
        return false;
    }
    *frame = datagram + WIRE_HEADER_LEN;
    *frame_length = length - WIRE_HEADER_LEN;
    return true;
}
