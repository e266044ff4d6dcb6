// Package applet holds the programs that a real k0s carries inside itself, in one binary: etcd, kube-apiserver, kube-controller-manager,
// kube-scheduler and kubectl. They are the upstream Go modules, not imitations.
package applet
