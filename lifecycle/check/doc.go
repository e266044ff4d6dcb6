// Package check decides gates: named conditions that must hold before a node is disturbed and before it counts as well again.
//
// A check is one look: it asks what it needs to know, decides, and says in words what it saw. It never waits. What can't be
// learnt now (an API that does not answer, a machine that is restarting) is waiting, with the reason, not failed.
package check
