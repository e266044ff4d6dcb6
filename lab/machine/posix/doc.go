// Package posix is the shell and the ordinary programs of a simulated machine.
//
// A command line runs in an in-process POSIX shell (mvdan.cc/sh) with the machine's disk, users and clock below it. Programs are
// Go functions with the options that operators and k0sctl use; an option that a program does not know is refused, as the real
// one would refuse a wrong one, and never ignored. Tests run the same lines through these programs and through Debian's; what only the lab
// refuses says "not in the lab".
package posix
