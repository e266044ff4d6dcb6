// Package session is the library's front door: one site, with everything that can be asked of it and done to it.
//
//	site, findings := session.Load(ctx, fleet, "tokyo-prod", session.LoadOptions{})
//	s, err := session.Open(site, session.Options{Fleet: fleet})
//	result, err := s.Apply(ctx, session.ApplyOptions{})
//
// A Session observes, plans and carries out, with the site's lock, the journal, the records in the cluster, backups and reviews wired
// inside. Whatever changes a site goes through one loop (converge.go): look, plan, wait for whoever has the lock, show, ask, take the
// lock, look again, act, and the next plan where one could not see beyond its end.
//
// What shows things to people or asks them is a hook (Hooks). A program that sets none is shown nothing and asked nothing.
package session
