// Package allowed holds the allow lists of what a Cluster document may say: addresses, options of SSH, flags of `k0s install` with the
// form of their values, and paths on machines by what they are for. An overlay is data that anybody who opens a merge request can write. It
// may describe a cluster; it may not name a program to run, another place to connect to, or a file that is not k0s's.
//
// The rules of package site ask it, to say so with file and line; package k0s asks it again where it acts.
package allowed

// Refusal says why something may not be declared, and what may be instead. The zero Refusal refuses nothing.
type Refusal struct{ Summary, Why, Try string }

// Refused reports whether there is anything to say.
func (r Refusal) Refused() bool { return r.Summary != "" }

func (r Refusal) Error() string {
	if r.Why == "" {
		return r.Summary
	}
	return r.Summary + ": " + r.Why
}
