/* What a setting of a lake may be. CALL lake.set_option looks at it; a catalog that was edited by
 * hand may hold anything. */
#pragma once

/* NULL: the value is right, or the setting is none of a writer's; else what it has to be, as in
 * "has to be ...". */
const char *pt_setting_wrong(const char *key, const char *value);
