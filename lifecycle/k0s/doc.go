// Package k0s drives machines: it reads the k0sctl Cluster document, learns what a machine has, and does what a step says.
//
// It is the only importer of k0sctl and rig. k0sctl gives the schema, its validation, the arguments of `k0s install`, join
// tokens, operating system support and hooks; rig gives SSH and services. What k0sctl does to a whole cluster at once (its
// phases' order, retries and clean-ups) is not used: kiban's plan decides that.
//
// Three rules hold here. A document is parsed afresh for every operation, so that nothing observed leaks into what is
// desired. Observing is one command a host and writes nothing. Every other command belongs to a step, and is recorded
// with it before it is sent.
package k0s
