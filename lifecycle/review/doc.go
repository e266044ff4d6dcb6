// Package review holds what people said yes to against what would be done now.
//
// CheckFresh asks that a saved plan is made again just so. Check asks that a plan means what a merge request showed, or is what a run of
// that plan which was cut off has left to do. Approval asks the latter of one plan after another, and knows what was accepted by its id.
package review
