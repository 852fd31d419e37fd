/* The part of a listing that lets a person upload and delete files. */

#ifndef FILES_PAGE_H
#define FILES_PAGE_H

/* page.html, to stand above the listing's table. Without JavaScript it shows
 * nothing, and the links above still work. */
extern const char page_html[];

#endif
