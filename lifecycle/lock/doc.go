// Package lock lets one run at a time change a site.
//
// A Contest waits for the lock of one Place (a Lease of the cluster, a file on a controller) and takes it; a Hold renews it; a Fence
// makes sure, just before each step acts, that the run still has it wherever it is held. A dead holder is told from a living one by
// watching (Watch): clocks of two machines are never compared.
package lock
