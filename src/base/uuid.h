/* UUIDs of version 7 (RFC 9562): the names sort by time. */
#pragma once

#define PT_UUID_SIZE 37 /* with the NUL */

void pt_uuid_new(char out[PT_UUID_SIZE]);
