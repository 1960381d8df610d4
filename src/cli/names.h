/* Checks of values that a user gives (pt_option_check): limits of Kafka and of file systems, found
 * before anything is asked of a broker or a catalog. PT_E_USAGE. The texts name the value; the
 * caller puts the place in front. */
#pragma once

#include "base/error.h"
#include "cli/options.h"

pt_option_check pt_check_group; /* 1 to 255 bytes without control characters */
pt_option_check pt_check_topic; /* 1 to 249 of the letters that Kafka takes */
pt_option_check pt_check_table; /* name or schema.name, as it is written; 1 to 255 bytes */
/* [PROTOCOL://]HOST[:PORT],... as librdkafka takes them. It would take a port that is none for
 * another one. */
pt_option_check pt_check_brokers;
/* prop=value: librdkafka knows it and takes the value; client.id, group.instance.id and group.id
 * are names, too. */
pt_option_check pt_check_property;
pt_option_check pt_check_above_zero; /* a count, size or duration */
