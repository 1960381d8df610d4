/* Files and folders on this machine. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* mkdir -p; mode 0777 and the umask. What it has made is on the disk, the last folder also when it
 * was there already. */
int pt_make_folders(const char *path, pt_error *err) PT_CHECKED;
/* The folder part of a file's path: "a/b" of "a/b/c", "." of "c"; malloc'd, NULL without memory. */
char *pt_folder_of(const char *path);
/* PT_OK when files can be made in the folder. */
int pt_folder_writable(const char *path, pt_error *err) PT_CHECKED;
/* PT_OK when the folder is there and files can be made in it, or it can be made: tried with another
 * name, nothing stays. */
int pt_folder_can_be(const char *path, pt_error *err) PT_CHECKED;
bool pt_path_exists(const char *path);
/* fsync of a file, then of its folder. PT_E_LAKE_DOWN: it may pass (no room, a disk that does not
 * answer); else PT_E_IO. */
int pt_sync_file(const char *path, pt_error *err) PT_CHECKED;
int pt_sync_folder(const char *path, pt_error *err) PT_CHECKED;
/* Byte for byte, durable (pt_sync_file). A file that is there is written anew. */
int pt_copy_file(const char *from, const char *to, pt_error *err) PT_CHECKED;
