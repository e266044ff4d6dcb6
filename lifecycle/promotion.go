package lifecycle

import "time"

// Promotion is what a site waits for before it takes a version: that earlier sites have run it, healthy, for a while. The zero Promotion
// waits for nothing.
type Promotion struct {
	// From are the sites that must have run a version before, each of them. They are of earlier waves.
	From []string `json:"from,omitempty"`
	// Soak is how long they must have run it without a break in their health that is known of.
	Soak time.Duration `json:"soak,omitempty"`
	// Rehearsed has a plan that Site.Rehearse asks for count as reviewed only when its merge request rehearsed it, and it went through.
	Rehearsed bool `json:"rehearsed,omitempty"`
	// Source is where it is declared, "file:line", for diagnostics.
	Source string `json:"source,omitempty"`
}

// SoakFormat is the version of Soak's JSON form. Readers pass over another major.
const SoakFormat = "1.0"

// Soak is what a cluster keeps of how long it has run its versions, healthy. It is written by whoever looked, at the end of a run and on a
// schedule: between two looks at which it was healthy it counts as healthy.
type Soak struct {
	Format string `json:"format"`
	Site   string `json:"site"`
	// Observed is when it was looked at last. Healthy is what was seen then, Reason why not.
	Observed time.Time `json:"observed"`
	Healthy  bool      `json:"healthy"`
	Reason   string    `json:"reason,omitempty"`
	// Versions are those that it runs and those that it ran, by name, the newest version of each first.
	Versions []SoakVersion `json:"versions,omitempty"`
}

// SoakVersion is how long a site has run one version of one thing.
type SoakVersion struct {
	// Name is "k0s", or "chart/<name of the chart>".
	Name    string `json:"name"`
	Version string `json:"version"`
	// Since is when the healthy stretch that is under way began, zero when none is: it is unhealthy, or no longer runs this version.
	Since time.Time `json:"since,omitzero"`
	// Longest is the longest healthy stretch that was seen from end to end, the one under way up to Observed included.
	Longest time.Duration `json:"longest,omitempty"`
	// Runs says that it ran, wholly or in part, when that was seen last.
	Runs bool `json:"runs,omitempty"`
}

// Promoted is one version that a site is about to take, held against one site that must have run it before.
type Promoted struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// From is the site that must have run it.
	From  string    `json:"from"`
	State GateState `json:"state"`
	// Reason says in words how it stands: "tokyo-staging has run v1.36.4+k0s.0, healthy, for 20h of 72h".
	Reason string `json:"reason"`
	// Until is when it will have run long enough if it stays healthy; zero when nothing says so.
	Until time.Time `json:"until,omitzero"`
}
