// Package addons is the engine behind what a site runs beside Kubernetes. It knows units: an addon, a tenant, or the site's other objects.
// Observe lays what is declared of each beside what the cluster has; Do carries out a plan's step on one.
//
// A unit is applied in phases: what others stand on (namespaces, definitions of custom resources, secrets, configuration), then its Helm
// release or its manifests, then the objects that an annotation ties to it, with a wait for health behind each of the last two. Before
// the first write its inventory in the cluster is marked unfinished, and names all that is about to be written; so whatever ends a run, the
// next one knows what there is and carries on.
//
// The order of units: addons by what they depend on, each after those that make what it needs; tenants after Argo CD when the site
// has it. The site's other objects come first when they need nothing of an addon, and otherwise behind all of them: an object that
// only one addon should wait for is tied to that addon.
package addons
