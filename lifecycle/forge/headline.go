package forge

import "slices"

// headline says the kind in words, after the site's name.
func headline(m Message) string {
	switch m.Kind {
	case MessageStarted:
		return "apply has begun"
	case MessageDone:
		return "applied"
	case MessageSettled:
		return settled(m.Over)
	case MessageFailed:
		return "apply failed"
	case MessageBlocked:
		return "apply is blocked"
	case MessageStale:
		return "not applied, because it is not what was reviewed"
	case MessageInterrupted:
		return "apply was stopped"
	case MessageLost:
		return "apply ended without a result"
	case MessageDrift:
		return "is not what the repository declares"
	case MessageUnseen:
		return "could not be compared with the repository"
	case MessageSupport:
		return "the time to leave its minor of Kubernetes runs short"
	}
	return string(m.Kind)
}

// settled says what is over.
func settled(over []MessageKind) string {
	if slices.Contains(over, MessageDrift) {
		return "the drift is gone; it is what the repository declares"
	}
	return "it is what the repository declares again"
}

func messageSign(k MessageKind) string {
	switch k {
	case MessageStarted:
		return "▶️"
	case MessageDone, MessageSettled:
		return "✅"
	case MessageFailed, MessageLost:
		return "❌"
	case MessageBlocked, MessageStale:
		return "⛔"
	}
	return "⚠️"
}
