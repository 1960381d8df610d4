/* Which group a member joins: the user's, or the one that belongs to the lake. And whether members
 * of another lake are in it. */
#pragma once

#include "ingest/member_internal.h"

/* Of several topics without a --group: takes the one pipeline in the ledger that covers them all.
 * Makes nothing in the lake, and does not ask the broker. PT_E_USAGE: there is no such pipeline. */
int pt_group_of_several(pt_member *member, pt_error *err) PT_CHECKED;

/* When the broker has answered, and before the member makes anything in the lake. PT_E_USAGE: the
 * user's group has a live member of another lake. */
int pt_group_is_free(pt_member *member, pt_error *err) PT_CHECKED;

/* When the lake is open and its ledger can be read: names the group where the user gave none, and
 * passes the name to consumer, committer and reader. PT_E_USAGE as above. */
int pt_group_take(pt_member *member, bool resumes, pt_error *err) PT_CHECKED;

/* After joining: a process of another lake may have joined at the same time. PT_E_USAGE as above.
 */
int pt_group_is_ours(const pt_member *member, pt_error *err) PT_CHECKED;
