// Package render shows the words of package lifecycle to people: plans, states, diagnostics and the events of a run, for a terminal, a
// pipeline's log or a merge request. It decides nothing and does no I/O but writing to the writer it is given.
package render
