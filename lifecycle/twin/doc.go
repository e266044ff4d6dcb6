// Package twin makes a lab of a site's own state, and runs in it what is about to be done at the site: rehearsals of plans.
//
//	site --look--> Snapshot --tame--> objects without harm --lab, declare, load--> twin --run--> events --tell--> lifecycle.Rehearsal
//
// What is decided is decided by pure functions on data: which objects of a site a twin gets and how they are tamed (tame.go), what its
// declaration says (declare.go), what became of a run (tell.go). The lab, kiban itself and the twin's API are behind small interfaces, or
// programs of their own. Once the snapshot is there nothing asks the site any more.
package twin
