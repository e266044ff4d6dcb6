// Package diff says what a change of a site's declaration means: not which lines differ, but which hosts come or go, to which version k0s
// goes and over which hops, which settings change from what to what. It is a pure function of two declarations:
//
//	compare.go    both declarations in, changes out
//	cluster.go    the k0sctl document: version, configuration, hosts, and the rest of it
//	hosts.go      one host
//	site.go       the Site document
//	guards.go     which of all that decides how, when and on whose word the site may be changed
//	units.go      addons, tenants, objects
//	pins.go       the lock file
//	plain.go      typed declarations as the values that documents have
//	mask.go       what must not be shown
package diff
