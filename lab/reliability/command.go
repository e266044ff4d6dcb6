package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lab/drive"
	"kiban.dev/kiban/lab/machine"
)

// command is a command line with which a run changed a machine: which of those that match on that machine it was.
type command struct {
	machine, line string
	match         string // a regular expression that the same command has in another lab
	number        int
}

func (c command) String() string {
	line := strings.Join(strings.Fields(c.line), " ")
	if len(line) > 140 { // what begins alike for all is the lock's; its end tells them apart
		line = line[:20] + " … " + line[len(line)-120:]
	}
	return fmt.Sprintf("command %d %q on %s", c.number, line, c.machine)
}

// starts finds the commands that start or stop services; the record does not say which command that was.
var starts = regexp.MustCompile(`systemctl (start|stop|restart|enable|daemon-reload|reboot)|k0s (start|stop|reset|install|etcd leave|token)`)

// changing are the commands of the record that changed a machine, in their order. What lies under /run is the lock's.
func changing(records []machine.Record) []command {
	var out []command
	changed := map[string]bool{} // by machine and command
	seen := map[string]int{}
	for _, r := range records {
		key := r.Machine + "\n" + r.Command
		switch r.Kind {
		case machine.KindChange:
			changed[key] = changed[key] || !strings.HasPrefix(r.Path, "/run/")
		case machine.KindCommand:
			if changed[key] || starts.MatchString(r.Command) {
				c := command{machine: r.Machine, line: r.Command, match: pattern(r.Command)}
				seen[c.machine+"\n"+c.match]++
				c.number = seen[c.machine+"\n"+c.match]
				out = append(out, c)
			}
			delete(changed, key)
		}
	}
	return out
}

// vary finds what a command has otherwise in another lab: addresses, random names, times.
var vary = regexp.MustCompile(`127\\\.\d+\\\.\d+\\\.|[0-9a-f]{6,}|\d{5,}`)

// tokenID finds the id of a join token, which is random.
var tokenID = regexp.MustCompile(`(token invalidate --data-dir=\S+ )[0-9a-z]{6}`)

func pattern(line string) string {
	line = tokenID.ReplaceAllString(regexp.QuoteMeta(line), "${1}[0-9a-z]{6}")
	return "^(?s:" + vary.ReplaceAllStringFunc(line, func(s string) string {
		if strings.HasPrefix(s, "127") {
			return `127\.\d+\.\d+\.`
		}
		return `[0-9a-f]+`
	}) + ")$"
}

// records are what the lab has recorded since a mark.
func records(g *drive.Ground, since machine.Mark) ([]machine.Record, error) {
	var out []machine.Record
	err := machine.ReadRecords(recordFile(g), since, func(r machine.Record) error {
		out = append(out, r)
		return nil
	})
	return out, err
}

func recordFile(g *drive.Ground) string { return machine.RecordFile(g.Dir + "/.lab") }

// moment is a remote command of a run, and what happens when it is about to run, or has run and kiban does not know yet.
type moment struct {
	command
	after bool
	what  disturbance
}

func (m moment) String() string {
	when := "before"
	if m.after {
		when = "after"
	}
	return fmt.Sprintf("%s %s %s", m.what.name, when, m.command)
}

// moments are the kills before and after each command, a cut of all connections, and a power cut, at the end of each.
func moments(commands []command) (kills, faults []moment) {
	for _, c := range commands {
		kills = append(kills, moment{c, false, kill()}, moment{c, true, kill()})
		faults = append(faults, moment{c, true, disturbance{"all SSH connections cut", func(g *drive.Ground, _ *os.Process) error {
			return fault(g, "all", "ssh-cut")
		}}}, moment{c, true, powerCut(c.machine)})
	}
	return kills, faults
}

// powerCut takes the power, and what was not synced, from a machine for a moment.
func powerCut(name string) disturbance {
	return disturbance{"power cut of " + name, func(g *drive.Ground, _ *os.Process) error {
		if err := fault(g, name, "power-cut"); err != nil {
			return err
		}
		time.Sleep(time.Second)
		return fault(g, name, "on")
	}}
}

// at runs kiban and disturbs it at the command. It reports whether the run came there.
func (m moment) at(g *drive.Ground, args []string) (reached bool, err error) {
	kind := "hold-before"
	if m.after {
		kind = "hold-after"
	}
	if err := fault(g, m.machine, kind, m.match, fmt.Sprint(m.number)); err != nil {
		return false, err
	}
	since, err := machine.RecordMark(recordFile(g))
	if err != nil {
		return false, err
	}
	return disturb(g, args, 5*time.Millisecond, m.what, func() (bool, error) {
		rs, err := records(g, since)
		return slices.ContainsFunc(rs, func(r machine.Record) bool {
			return r.Kind == machine.KindEvent && strings.HasPrefix(r.What, "held: ")
		}), err
	})
}
