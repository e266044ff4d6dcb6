// Package applet holds the programs that a real k0s carries inside itself, in one binary: etcd, kube-apiserver, kube-controller-manager,
// kube-scheduler and kubectl. They are the upstream Go modules, not imitations.
package applet

// Run runs the program that argv asks for, as in `kiban-lab applet kube-apiserver --flag ...`, and then exits the process with that
// program's exit code. When argv asks for no applet it returns false at once and has done nothing.
//
// The Kubernetes version that the programs claim to be is the environment variable LAB_K0S_VERSION.
func Run(argv []string) (handled bool) {
	return false
}
