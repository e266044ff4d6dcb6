// Package plan compares a Site with a State and makes the Plan: pure, deterministic, no I/O.
//
// Every host is classified first (Condition); each procedure, one a file, then says what the hosts in its charge need. A plan starts
// from what is there, never from what an earlier run meant to do: resuming is planning again. The order of the stages, and why:
//
//  1. Prepare hosts, stage binaries. Nothing is disturbed yet when a package is missing or a checksum is wrong.
//  2. Repair: what is stopped starts at the version it has. A worker starts before the control plane is upgraded, never with a
//     binary newer than it (H8). Controllers all at once: one by one they would wait for a quorum that none of them has.
//  3. The first controller, then further ones one by one: etcd takes a member only while the others hold quorum.
//  4. Configuration and arguments of controllers, one by one (H2), before new workers meet them.
//  5. Labels and taints of nodes. New workers, at the version the control plane has now. Then nodes that only wait for their uncordon
//     get it, so that they do not
//     count as out of service in a rollout.
//  6. Removals, after the joins that replace them, and before an upgrade, which would otherwise have to carry them along: a controller
//     left at the old version would serve newer kubelets. One controller a plan. Then addons, tenants and objects.
//  7. Per hop: a backup, for every hop is a point of no return; the controllers one by one, each whole again before the next (H36); then
//     all workers, as many at once as the policy allows. A controller whose configuration changes too gets it right before its last
//     upgrade: one restart.
//  8. What k0s keeps of its configuration in the cluster; then changed arguments and files of workers, drained as for an upgrade (H15).
//  9. Leftovers on disk.
//
// Two cases end a plan early and say so in Plan.Unfinished: an API that does not answer, for then cordons and budgets are unknown and
// the plan only brings the control plane back; and a second controller to be removed.
package plan
