/* What an error with an HTTP status means, as httpfs gives it for an object store. */
#pragma once

#include "base/error.h"

/* What an error of httpfs means: PT_E_LAKE_DOWN (network, 5xx, too many requests), PT_E_LAKE
 * (refused, not there), PT_OK: the text is not about HTTP. */
pt_code pt_object_store_failure(const char *message);

/* "" or " (what to do)" for a refusal, to be put into the error's text. */
const char *pt_object_store_advice(const char *message);
