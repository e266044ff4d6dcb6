// Package scaffold makes the files that a fleet begins with: a new repository, a new site, and the overlay of a cluster that k0sctl made.
//
// It gives files as data, and puts them into a folder that was not there: whole, or not at all. Whoever calls it reads the site that
// they make, and asks machines; so what is made of what is tested here without any of that.
package scaffold
