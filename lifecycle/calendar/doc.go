// Package calendar reckons backwards from the end of a minor's support: for each site the last day on which the first merge request may be
// opened, so that the site is off that minor in time. It is pure: what it is given is what is declared, and what is known of runs; what it
// takes for granted it says.
package calendar
