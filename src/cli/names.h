/* Names that a user gives: limits of Kafka and of file systems, told before anything is asked.
 * PT_E_USAGE. */
#pragma once

#include "base/error.h"

int pt_names_check_group(const char *group,
                         pt_error *err) PT_CHECKED; /* 1 to 255 bytes without controls */
int pt_names_check_topic(const char *topic,
                         pt_error *err) PT_CHECKED; /* 1 to 249 of the letters that Kafka takes */
int pt_names_check_table(const char *table,
                         pt_error *err) PT_CHECKED; /* name or schema.name, as it is written */
/* [PROTOCOL://]HOST[:PORT],... as librdkafka takes them; it would take a port that is none for
 * another one. */
int pt_names_check_brokers(const char *brokers, pt_error *err) PT_CHECKED;
/* "prop=value" of -X: client.id, group.instance.id and group.id are names, too. */
int pt_names_check_properties(const char *const *properties, size_t n, pt_error *err) PT_CHECKED;
