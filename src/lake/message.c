#include "lake/message.h"

#include <string.h>

const char *pt_message_picture(const char *message) {
    return strstr(message, "\n\nLINE ");
}
