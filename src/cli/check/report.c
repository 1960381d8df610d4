#include "cli/check/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/redact.h"
#include "base/shown.h"
#include "cli/check/partitions.h"
#include "cli/check/tables.h"
#include "cli/display.h"

#define RULE "=========================================================================="

static void add_banner(const pt_check_report *r, pt_text *out) {
    pt_text_add(out, RULE "\n pintail check  ");
    pt_text_add_redacted(out, r->lake);
    if (r->audit->snapshot >= 0) {
        pt_text_addf(out, "\n snapshot       %" PRId64, r->audit->snapshot);
    }
    if (r->brokers) {
        pt_text_addf(out, "\n broker         %s", r->brokers);
    }
    pt_text_add(out, "\n" RULE "\n");
}

/* ---- the verdict ---- */

/* "missing_file" as "missing file" */
static void add_kind(const char *kind, pt_text *out) {
    for (const char *p = kind; *p; p++) {
        pt_text_add_n(out, *p == '_' ? " " : p, 1);
    }
}

static void add_finding(const pt_finding *f, pt_text *out) {
    pt_text_add(out, "  ");
    add_kind(f->kind, out);
    pt_text_add(out, ": ");
    if (f->topic) {
        pt_text_addf(out, "topic %s", f->topic);
        if (f->partition >= 0) {
            pt_text_addf(out, " partition %" PRId32, f->partition);
        }
        pt_text_add(out, f->table ? ", " : ": ");
    }
    if (f->table) {
        pt_text_addf(out, "table %s: ", f->table);
    }
    pt_text_add(out, f->text);
    for (size_t i = 0; i < f->n_examples; i++) {
        pt_text_addf(out, "%s%" PRId64,
                     i              ? ", "
                     : f->count > 1 ? "; offsets "
                                    : "; offset ",
                     f->examples[i]);
    }
    pt_text_add(out, f->n_examples && f->count > (int64_t)f->n_examples ? ", ...\n" : "\n");
}

/* "3 findings: 1 gap, 2 duplicate" */
static void add_kinds(const pt_audit *audit, pt_text *out) {
    pt_text_addf(out, "%zu %s: ", audit->n_findings,
                 audit->n_findings == 1 ? "finding" : "findings");
    const char *comma = "";
    for (size_t i = 0; i < audit->n_findings; i++) {
        const char *kind = audit->findings[i].kind;
        size_t n = 0;
        bool first = true;
        for (size_t k = 0; k < audit->n_findings; k++) {
            bool same = strcmp(audit->findings[k].kind, kind) == 0;
            n += same;
            first = first && !(same && k < i);
        }
        if (first) {
            pt_text_addf(out, "%s%zu ", comma, n);
            add_kind(kind, out);
            comma = ", ";
        }
    }
}

static void add_verdict(const pt_check_report *r, pt_text *out) {
    const pt_audit *audit = r->audit;
    pt_text_add(out, !r->colour          ? ""
                     : audit->n_findings ? PT_MARK_RED
                     : audit->has_ledger ? PT_MARK_GREEN
                                         : PT_MARK_BOLD);
    if (audit->n_findings) {
        add_kinds(audit, out);
    } else if (!audit->has_ledger) {
        pt_text_add(out, "not audited: the lake has no ledger of pintail's");
    } else if (audit->n_partitions == 0) {
        pt_text_add(out, "sound: nothing was committed yet");
    } else {
        pt_text_add(out, "sound: every committed offset is in its table or in the dead letters");
    }
    pt_text_add(out, r->colour ? PT_MARK_END "\n" : "\n");
}

/* The marks to sequences, everything else that steers a terminal to text. */
static void add_for_terminal(const pt_check_report *r, const pt_text *made, pt_text *out) {
    static const char *const sequences[] = {"\033[1m", "\033[1;31m", "\033[1;32m", "\033[2m",
                                            "\033[0m"};
    const char *p = pt_text_get(made);
    out->failed |= made->failed;
    while (*p) {
        size_t n = strcspn(p, PT_MARK_BOLD PT_MARK_RED PT_MARK_GREEN PT_MARK_DIM PT_MARK_END);
        pt_text_add_shown(out, p, n, "\n");
        p += n;
        if (*p) {
            pt_text_add(out, r->colour ? sequences[*p - *PT_MARK_BOLD] : "");
            p++;
        }
    }
}

/* Lines of words that are wider than width are broken between two, and go on further to the right.
 * A word alone may be wider. */
static void wrap(const pt_text *made, size_t width, pt_text *out) {
    const char *p = pt_text_get(made);
    out->failed |= made->failed;
    while (*p) {
        size_t indent = strspn(p, " "), column = 0, begun = 0;
        const char *end = p + strcspn(p, "\n");
        while (p < end) {
            char word[2000];
            size_t spaces = strspn(p, " ");
            size_t n = strcspn(p + spaces, " \n");
            (void)snprintf(word, sizeof word, "%.*s", (int)n, p + spaces);
            size_t w = pt_display_width(word);
            if (begun > 0 && column + spaces + w > width) {
                pt_text_addf(out, "\n%*s", (int)indent + 4, "");
                column = indent + 4;
            } else {
                pt_text_add_n(out, p, spaces);
                column += spaces;
            }
            pt_text_add_n(out, p + spaces, n);
            column += w;
            begun += n > 0;
            p += spaces + n;
        }
        pt_text_add(out, "\n");
        p += *p == '\n';
    }
}

static void add_report(const pt_check_report *report, pt_text *out);

void pt_check_text(const pt_check_report *report, pt_text *out) {
    pt_text made = {0}, wrapped = {0};
    add_report(report, &made);
    wrap(&made, report->width, &wrapped);
    add_for_terminal(report, &wrapped, out);
    pt_text_free(&made);
    pt_text_free(&wrapped);
}

static void add_findings(const pt_check_report *r, pt_text *out) {
    if (r->audit->n_findings) {
        pt_check_heading(r, out, "findings");
        for (size_t i = 0; i < r->audit->n_findings; i++) {
            add_finding(&r->audit->findings[i], out);
        }
    }
}

static void add_notes(const pt_check_report *r, pt_text *out) {
    if (r->audit->n_notes) {
        pt_check_heading(r, out, "notes");
        for (size_t i = 0; i < r->audit->n_notes; i++) {
            pt_text_addf(out, "  %s\n", r->audit->notes[i]);
        }
    }
}

static void add_details(const pt_check_report *r, pt_text *out) {
    const pt_audit *audit = r->audit;
    for (size_t i = 0; i < audit->n_tables; i++) {
        pt_check_add_table(r, &audit->tables[i], out);
    }
    for (size_t from = 0, until; from < audit->n_partitions; from = until) {
        until = pt_check_block_end(audit, from);
        pt_check_add_block(r, from, until, out);
    }
    pt_check_add_reasons(r, out);
    pt_check_add_files(r, out);
}

static void add_report(const pt_check_report *report, pt_text *out) {
    add_banner(report, out);
    add_verdict(report, out);
    add_findings(report, out);
    if (report->summary) {
        pt_check_add_summary(report, out);
    } else {
        add_details(report, out);
    }
    add_notes(report, out);
}
