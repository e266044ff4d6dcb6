package lifecycle

// Rehearse says which plans of a site are rehearsed in the merge request that brings them. The zero Rehearse: none.
type Rehearse struct {
	// On is what a plan does that is rehearsed.
	On RehearseOn `json:"on,omitempty"`
}

// RehearseOn is what a plan does that is rehearsed.
type RehearseOn string

const (
	// RehearseUpgrade is a plan that changes the version of k0s on a machine.
	RehearseUpgrade RehearseOn = "upgrade"
	// RehearseDisruption is a plan that disturbs a machine, for whatever reason.
	RehearseDisruption RehearseOn = "disruption"
)

// Asks reports whether the plan is one that is rehearsed.
func (r Rehearse) Asks(p Plan) bool {
	for _, s := range p.Steps {
		switch {
		case r.On == RehearseUpgrade && s.Action == ActionUpgrade, r.On == RehearseDisruption && s.Disrupts:
			return true
		}
	}
	return false
}
