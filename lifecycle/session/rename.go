package session

import (
	"context"

	"kiban.dev/kiban/lifecycle"
)

// Renamable says whether the site may have another name. Its backups and its runs know it by this one: if the control plane were lost
// later, nothing would tell any more that there was one, and a new cluster would be begun in its place. So the Site must say which cluster
// is its own, or it must be known that it has none yet. Nothing is changed; who says it is not asked.
func (s *Session) Renamable(ctx context.Context) error {
	if s.site.Provider == lifecycle.ProviderExternal || s.site.API.ClusterUID != "" {
		return nil
	}
	state, err := s.Observe(ctx)
	if err != nil {
		return err
	}
	_, lost := lifecycle.Lost(s.site, state)
	reached := true
	for _, h := range s.site.Cluster.Hosts {
		seen, ok := state.Host(h.Name)
		reached = reached && (ok && seen.Reached() || !h.Role.IsController())
	}
	if state.API.NotYet && !lost && reached {
		return nil
	}
	d := lifecycle.Errorf(s.site.Name, "the Site does not say which cluster is its own").
		Because("The cluster's backups and its runs know it as " + s.site.Name + ". Were its control plane lost later, a site of another " +
			"name would look like one that never had a cluster.")
	uid := state.API.ClusterUID
	if uid == "" {
		return d.Try("Write the cluster's UID into the Site first, as spec.api.clusterUID: " +
			"kubectl get namespace kube-system -o jsonpath={.metadata.uid}")
	}
	return d.Try("Write this into the Site first: spec.api.clusterUID: " + uid)
}

// StaysNamed is what goes on to have a site's former name, and what to do about it, a line each.
func StaysNamed(site lifecycle.Site, from, to string) []string {
	out := []string{"To do first: the cluster goes on saying that it is " + from + ", and kiban refuses to change it as " + to +
		", until somebody takes that back: " + lifecycle.TakeMarkBack}
	if site.Provider != lifecycle.ProviderExternal {
		out = append(out, "Then: backups from before are called "+from+"-..., and `kiban restore "+to+"` takes none that is called so. "+
			"Take one by the new name: kiban backup "+to)
	}
	return append(out,
		"How long it ran its versions is kept for "+from+": sites that wait for it wait anew.",
		"Its runs are told under "+from+", in the cluster and in .kiban/runs/"+from+".",
		"GitLab's environment "+from+" with its variables, contexts in kubeconfigs, and Renovate's rules are yours to rename.")
}
