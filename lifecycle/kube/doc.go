// Package kube is kiban's way to the Kubernetes API: facts, cordons, drains and the condition of the control plane.
//
// A Client talks to the API servers of all controllers, whichever answers; Client.Servers asks each by its own address.
// Every call is bounded in time. Nothing is watched or cached between calls, except while a drain lasts.
package kube
