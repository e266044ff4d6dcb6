package forge

import (
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// meaning says what a stage of an upgrade in two steps is, in two sentences at most, to somebody who has never heard of it; "" for any
// other stage.
func meaning(site lifecycle.Site, stage lifecycle.Stage) string {
	name := lifecycle.Markdown(site.Name)
	id, _, _ := strings.Cut(stage.ID, "@") // a roll has its version there
	switch id {
	case lifecycle.StagePin:
		return "This upgrade goes in two steps, so that it can be taken back: first the control plane is told to go on acting as its " +
			"present release, whatever programs it gets. Each controller restarts once for that; nothing else changes yet."
	case lifecycle.StageRoll:
		return "The newer programs act as the former ones, and store nothing that those can't read. " +
			"So until the commit `kiban back " + name + "` puts the former ones back, with nothing lost."
	case lifecycle.StageSoak:
		return "From here on the site can show whether anything is wrong with the newer version; workers wait, and it can go back. " +
			soakEnds(site)
	case lifecycle.StageCommit:
		return "The newer programs stop acting as the former ones, and workers can follow. **From here on only a backup leads back.**"
	case lifecycle.StageBack:
		return "Each controller gets its former programs again, which can read all that was stored since. " +
			"No backup is needed, and nothing is lost."
	case lifecycle.StageUnpin:
		return "The control plane has its former version, and need not be told to act as that. Each controller restarts once for it."
	}
	return ""
}

// soakEnds says who ends a soak, and when.
func soakEnds(site lifecycle.Site) string {
	commit := "`kiban commit " + lifecycle.Markdown(site.Name) + "`"
	policy := site.Policy.ControlPlane
	if policy.Commit == lifecycle.CommitManual || !policy.On() {
		return "It ends when somebody says so: " + commit + "."
	}
	return "The first apply after " + lifecycle.Span(policy.Soak) + " commits it (a pipeline's, when its plan was accepted), or " + commit +
		" before that."
}
