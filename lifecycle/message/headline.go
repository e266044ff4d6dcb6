package message

import "slices"

// headline says the kind in words, after the site's name.
func headline(m Message) string {
	switch m.Kind {
	case Started:
		return "apply has begun"
	case Done:
		return "applied"
	case Settled:
		return settled(m.Over)
	case Failed:
		return "apply failed"
	case Blocked:
		return "apply is blocked"
	case Stale:
		return "not applied, because it is not what was reviewed"
	case Interrupted:
		return "apply was stopped"
	case Lost:
		return "apply ended without a result"
	case Drift:
		return "is not what the repository declares"
	case Unseen:
		return "could not be compared with the repository"
	}
	return string(m.Kind)
}

// settled says what is over.
func settled(over []Kind) string {
	if slices.Contains(over, Drift) {
		return "the drift is gone; it is what the repository declares"
	}
	return "it is what the repository declares again"
}

func sign(k Kind) string {
	switch k {
	case Started:
		return "▶️"
	case Done, Settled:
		return "✅"
	case Failed, Lost:
		return "❌"
	case Blocked, Stale:
		return "⛔"
	}
	return "⚠️"
}
