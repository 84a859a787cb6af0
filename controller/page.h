/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SNOWRELAY_PAGE_H
#define SNOWRELAY_PAGE_H 1

/* Page: the mesh as a browser shows it, in one document.
 *
 * scripts/embed-page.sh puts it together from what is in controller/page/. */

extern const char page_html[];

/* The Content-Security-Policy that lets just that style and that script be
 * used, and them read from where the page is, and nothing else. */
extern const char page_policy[];

#endif /* page.h */
