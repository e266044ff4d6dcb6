// Package scaffold makes the files that a fleet begins with: a new repository, a new site, and the overlay of a cluster that k0sctl made.
//
// It gives files as data. Whoever calls it writes them, reads the site that they make, and asks machines; so what is made of what is
// tested here without any of that.
package scaffold
