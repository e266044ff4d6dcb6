// Package page shows a fleet as a folder of HTML pages that any web server can serve, such as GitLab Pages: no program behind it, no
// keys,
// no requests to others, and readable without scripts. Make decides what stands on which page, by what was collected of the sites and
// nothing else, so that the same input gives the same bytes; Write puts the pages into a folder.
//
// What is not of the last look is shown as of when it was known, and never as what is.
package page
