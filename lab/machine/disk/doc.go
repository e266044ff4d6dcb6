// Package disk is the file system of one simulated machine: a private folder of the real one, with owners and modes of its own.
//
// The lab runs as one ordinary user, so the real file system cannot tell root's files from others'. A Disk keeps owners and
// modes in a table beside the folder, and a View of it answers as the kernel would answer that user: reading root's 0600 file
// fails with "permission denied". Symbolic links, also absolute ones, never lead out of the folder. A file that something
// outside the machine's shell wrote (a database, a certificate) belongs to root and has its real mode.
package disk
