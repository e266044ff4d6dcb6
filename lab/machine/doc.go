// Package machine builds the machines of a lab: each an SSH server on a loopback address of its own, with a disk, a shell, a
// service manager and a k0s stand-in behind it, and everything that can be made to go wrong with it.
package machine
