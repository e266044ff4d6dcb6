package k0s

import (
	"encoding/base64"
	"path"
	"slices"
	"strings"
)

// forAnyShell is a command in words that mean the same to every login shell, also to fish and csh, which read no POSIX shell: sshd gives
// what it is asked to run to the user's own shell. Within single quotes those take all but quotes, backslashes, line ends and
// exclamation marks as they are, and csh takes no word of more than 1,024 characters, so the command travels in base64, in pieces.
func forAnyShell(command string) string {
	const piece = 900
	text := base64.StdEncoding.EncodeToString([]byte(command))
	// rig runs what needs root in the user's shell, by this variable
	words := []string{`/bin/sh -c 'SHELL=/bin/sh; export SHELL; eval "$(printf %s "$@" | base64 -d)"' sh`}
	for len(text) > piece {
		words, text = append(words, text[:piece]), text[piece:]
	}
	return strings.Join(append(words, text), " ")
}

// readsPOSIX reports whether a login shell reads what is written for a POSIX shell as that does. fish and csh do not; zsh does nearly:
// it ends a command whose pattern matches no file. Of one that is not known nothing is known.
func readsPOSIX(shell string) bool {
	return shell == "" || slices.Contains([]string{"sh", "bash", "dash", "ash", "busybox", "ksh", "ksh93", "mksh"}, path.Base(shell))
}
