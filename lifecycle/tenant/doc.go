// Package tenant says which Kubernetes objects a tenant stands for. It is pure: what is declared goes in, objects come out.
package tenant
