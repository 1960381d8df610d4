/* Which group a life joins: the one that was given, or the one that goes with the lake. And whether
 * another lake has it. */
#pragma once

#include "ingest/member_internal.h"

/* Without a look at broker or lake, in which nothing is made: of several topics without a group,
 * the one pipeline in the ledger that covers them. PT_E_USAGE: there is none. */
int pt_group_of_several(pt_member *member, pt_error *err) PT_CHECKED;

/* When the broker answers, before anything is made in the lake. PT_E_USAGE: the group that was
 * given has a live member of another lake. */
int pt_group_is_free(pt_member *member, pt_error *err) PT_CHECKED;

/* When the lake is open, and its ledger can be read: names the group where none was given, and
 * tells consumer, committer and reader. PT_E_USAGE as above. */
int pt_group_take(pt_member *member, bool goes_on, pt_error *err) PT_CHECKED;

/* As a member: another lake's process may have joined at the same time. PT_E_USAGE as above. */
int pt_group_is_ours(const pt_member *member, pt_error *err) PT_CHECKED;
