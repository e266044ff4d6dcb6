// Package k0s is the stand-in for k0s on a simulated machine: its command line, and what its services run.
//
// The command line is built of real cobra commands with the flags that k0s has, so that a flag k0s does not know is refused in
// the same words. Everything it does goes by the files on the machine's disk, as k0s does.
package k0s
