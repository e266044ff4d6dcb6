// Package timeline shows a past run as a picture, made of its journal's events: what each machine went through and when, what it waited
// for, and how many were out of service against how many may have been. As one HTML page that needs nothing else, and as Markdown for a
// merge request. It is pure: the same run gives the same bytes.
package timeline
