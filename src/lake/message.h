/* The texts of DuckDB's errors. */
#pragma once

/* Where the picture "LINE 2: SELECT ... ^" begins that DuckDB draws below some of its messages, with the line ends before it; NULL: there is none. */
const char *pt_message_picture(const char *message);
