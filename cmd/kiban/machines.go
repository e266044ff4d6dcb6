package main

import (
	"context"
	"errors"
	"net"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/apply"
	"kiban.dev/kiban/lifecycle/lock"
)

// machines are those of a site, as far as a connection needs them.
type machines interface {
	Facts(ctx context.Context) (lifecycle.MachineFacts, error)
	// Kubeconfig is the administrator's; nil when there is none yet.
	Kubeconfig(ctx context.Context) ([]byte, error)
	HostFacts(ctx context.Context, host string) (lifecycle.HostState, error)
	EtcdMembers(ctx context.Context) (lifecycle.EtcdState, error)
	LastLog(ctx context.Context, host string, lines int) ([]string, error)
	apply.Machines
	Lock(host string) lock.Place
	Dial(ctx context.Context, host, network, addr string) (net.Conn, error)
	Close() error
}

// externalMachines stands for the machines of a site that someone else runs: there are none, but there is a kubeconfig.
type externalMachines struct {
	kubeconfig func() ([]byte, error)
}

var errNoMachines = errors.New("the site has no machines of its own")

// Facts are of no machine. A kubeconfig that is not here is for the API to be unknown by.
func (n externalMachines) Facts(context.Context) (lifecycle.MachineFacts, error) {
	b, err := n.kubeconfig()
	return lifecycle.MachineFacts{Kubeconfig: b}, err
}

func (n externalMachines) Kubeconfig(context.Context) ([]byte, error) { return n.kubeconfig() }

func (externalMachines) HostFacts(context.Context, string) (lifecycle.HostState, error) {
	return lifecycle.HostState{}, errNoMachines
}

func (externalMachines) EtcdMembers(context.Context) (lifecycle.EtcdState, error) {
	return lifecycle.EtcdState{}, nil // the cluster runs no etcd that is kiban's to know of
}

func (externalMachines) LastLog(context.Context, string, int) ([]string, error) {
	return nil, errNoMachines
}

func (externalMachines) Do(context.Context, lifecycle.Step, func(string)) error { return errNoMachines }

func (externalMachines) Lock(string) lock.Place { return nil }

func (externalMachines) Dial(context.Context, string, string, string) (net.Conn, error) {
	return nil, errNoMachines
}

func (externalMachines) Close() error { return nil }
