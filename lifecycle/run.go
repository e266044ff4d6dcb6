package lifecycle

import (
	"strings"
	"time"
)

// RunFormat is the version of RunRecord's JSON form. Readers pass over records of another major.
const RunFormat = "1.0"

// RunResult is how a run ended.
type RunResult string

const (
	RunDone        RunResult = "done"
	RunFailed      RunResult = "failed"
	RunBlocked     RunResult = "blocked"     // nothing failed, but a gate, a budget or a policy was in the way
	RunInterrupted RunResult = "interrupted" // the operator, or the pipeline, stopped it
	RunUnended     RunResult = "no end"      // its journal has no last event: it is under way, or was killed
)

// RunHeader is what is known of a run before its first step.
type RunHeader struct {
	// Who started it, and Where: a person and a machine's name, or a pipeline's user and the URL of its job.
	Who   string `json:"who,omitempty"`
	Where string `json:"where,omitempty"`
	// Doing is the verb that runs: "apply of revision 3f2a9c1", "backup", "node drain worker-3".
	Doing string `json:"doing,omitempty"`
	// Revision and Digest are the site's that it carries out.
	Revision string `json:"revision,omitempty"`
	Digest   string `json:"digest,omitempty"`
	// Hosts are the site's machines in their declared order, with the k0s version that each ran before.
	Hosts []RunHost `json:"hosts,omitempty"`
	// Stages are the plan's.
	Stages []Stage `json:"stages,omitempty"`
	// Review is what people said yes to beforehand; nil where no review was asked for.
	Review *Review `json:"review,omitempty"`
}

// RunHost is a machine as a run found it.
type RunHost struct {
	Name string `json:"name"`
	Role Role   `json:"role,omitempty"`
	// Version is the k0s version that ran, or that was installed where none ran; zero where there was none.
	Version Version `json:"version,omitzero"`
	// Machine is what kind of machine it is (HostState.Kind); "" where it did not tell.
	Machine string `json:"machine,omitempty"`
}

// RunRecord is a run in a few lines: what is listed, and what the cluster itself keeps of it.
type RunRecord struct {
	Format string `json:"format"`
	ID     string `json:"id"`
	Site   string `json:"site"`
	// Who, Where, Doing, Revision and Digest are RunHeader's; empty where the runner alone wrote the journal.
	Who      string `json:"who,omitempty"`
	Where    string `json:"where,omitempty"`
	Doing    string `json:"doing,omitempty"`
	Revision string `json:"revision,omitempty"`
	Digest   string `json:"digest,omitempty"`
	// Began and Ended are by the clock of the machine that ran it. Ended is the last event's where there is no end.
	Began  time.Time `json:"began"`
	Ended  time.Time `json:"ended"`
	Result RunResult `json:"result"`
	// Before and After are the k0s versions on the site's machines, oldest first, each once.
	Before []Version `json:"before,omitempty"`
	After  []Version `json:"after,omitempty"`
	// Aim is the newest k0s version that its plan puts on a machine, whether it came there or not; zero where it puts none.
	Aim Version `json:"aim,omitzero"`
	// Steps were planned; Begun, Done and Failed say how far they came. Machines are the targets on which any was begun.
	Steps    int `json:"steps"`
	Begun    int `json:"begun"`
	Done     int `json:"done"`
	Failed   int `json:"failed,omitempty"`
	Machines int `json:"machines"`
	// Review is RunHeader's.
	Review *Review `json:"review,omitempty"`
	// Took is how long its finished steps took, by action: what later plans are estimated by.
	Took []Took `json:"took,omitempty"`
	// FailedUpgrades are versions that did not come up on a machine, which was taken back.
	FailedUpgrades []FailedUpgrade `json:"failedUpgrades,omitempty"`
	// Failures are by what it failed, as far as that could befall other sites: a few at most, in the order in which they happened.
	Failures []Failure `json:"failures,omitempty"`
	// FailedChanges are changes of what k0s runs with that it did not come up with, and that were taken back.
	FailedChanges []FailedChange `json:"failedChanges,omitempty"`
	// Tried is how the last start of k0s on each controller came out that the run made, sorted by machine.
	Tried []Try `json:"tried,omitempty"`
}

// Applied reports whether the run carried out what the repository declares, and not a task beside it, such as a backup. Records of older
// versions of kiban do not say what was done; they count.
func (r RunRecord) Applied() bool {
	return r.Doing == "" || r.Doing == "apply" || strings.HasPrefix(r.Doing, "apply ")
}

// GoingBack is RunRecord.Doing of `kiban back`.
const GoingBack = "going back"

// Took is how long the steps of one action took in a run, the gates behind them included. How long gates before them were waited for is
// not
// part of it.
type Took struct {
	Action Action        `json:"action"`
	Steps  int           `json:"steps"`
	Total  time.Duration `json:"total"`
}

// ListedRun is a run and who keeps it.
type ListedRun struct {
	RunRecord
	// Here: its journal lies beside the fleet. Cluster: the cluster keeps its record.
	Here    bool `json:"here"`
	Cluster bool `json:"cluster"`
}
