// Package apply carries a plan out: it announces the whole queue of steps, then runs that same queue and nothing else.
//
// Stages run one after another. Within a stage, targets run side by side as far as its width, canaries, failure domains and
// the disruption budgets allow; the steps of one target run in order. A step is: wait for its Before gates, act, wait for its
// After gates. The first failure stops the rollout: targets under way finish, no other starts.
//
// Just before each step acts, the run makes sure that it still has the site's lock (Deps.Fence, of package lock).
//
// Nothing about a run is kept but its events. Resuming is planning again from what is there.
package apply
