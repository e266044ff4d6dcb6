// Package simulate plays whole lives of sites in a bubble of its own time (testing/synctest): machines, etcd, the Kubernetes API, the
// network between them and one to three operators who run kiban's own loop on it: look, plan, contend for the lock, carry out.
// Everything that happens comes from a seed, so a seed that breaks something breaks it again: make simulate SEED=x.
//
// The product's part is real: session.Apply with its contest for the lock and its fence, the planner, apply.Run, the gates. What stands
// behind its ports is a model: world.go and machine.go know nothing of plans or steps but what an action does to a machine, in the parts
// between which a kill, a pause or a lost answer can fall.
package simulate
