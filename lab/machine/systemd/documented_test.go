package systemd_test

import (
	"strings"
	"testing"
)

// TestDocumented holds what the manual pages of systemd 252 say. No systemd runs where these tests run, so the pages are what the machines'
// is compared with; each row names its page and section. What unit files alone decide is compared with the real systemctl in
// offline_test.go.
func TestDocumented(t *testing.T) {
	for _, tc := range []struct {
		says    string // the page and its section
		before  string // is run first, and has to succeed
		user    string
		line    string
		out     string // exact; with a leading "~" a part of it
		err     string // a part
		status  int
		service string // its ExecStart; "/run" by default
	}{
		// systemctl(1), "EXIT STATUS": 0 unit is active
		{says: "exit 0", before: "systemctl start a", line: "systemctl is-active a", out: "active\n"},
		// systemctl(1), "EXIT STATUS": 3 unit is not active
		{says: "exit 3", line: "systemctl is-active a", out: "inactive\n", status: 3},
		// systemctl(1), "EXIT STATUS": 4 no such unit
		{says: "exit 4", line: "systemctl is-active absent", out: "inactive\n", status: 4},
		{says: "exit 4", line: "systemctl status absent", err: "Unit absent.service could not be found.", status: 4},
		// systemctl(1), is-active: returns 0 if at least one is active; with --quiet nothing is printed
		{says: "at least one", before: "systemctl start a", line: "systemctl is-active b a", out: "inactive\nactive\n"},
		{says: "quiet", before: "systemctl start a", line: "systemctl is-active --quiet a"},
		{says: "quiet", line: "systemctl -q is-active a", status: 3},
		// systemctl(1), is-failed and "EXIT STATUS": 0 if at least one has failed, 1 unit not failed
		{says: "is-failed", line: "systemctl is-failed a", out: "inactive\n", status: 1},
		{says: "is-failed", before: "systemctl start a", line: "systemctl is-failed a", out: "active\n", status: 1},
		{says: "is-failed", before: "systemctl start a; while systemctl is-active -q a; do sleep 0.01; done", line: "systemctl is-failed b a",
			out: "inactive\nfailed\n", service: "/fail"},
		// systemctl(1), start, stop, restart: "restart ... If the units are not running yet, they will be started."
		{says: "start", line: "systemctl start a && systemctl start a && systemctl is-active a", out: "active\n"},
		{says: "stop", before: "systemctl start a", line: "systemctl stop a; systemctl is-active a", out: "inactive\n", status: 3},
		{says: "stop what is stopped", line: "systemctl stop a"},
		{says: "restart", line: "systemctl restart a && systemctl is-active a", out: "active\n"},
		{says: "several", line: "systemctl start a b && systemctl is-active a b", out: "active\nactive\n"},
		{says: "the suffix", line: "systemctl start a.service && systemctl is-active a", out: "active\n"},
		// systemctl(1), try-restart: "does nothing if units are not running"
		{says: "try-restart", line: "systemctl try-restart a; systemctl is-active a", out: "inactive\n", status: 3},
		{says: "try-restart", before: "systemctl start a", line: "systemctl try-restart a; systemctl is-active a", out: "active\n"},
		// systemctl(1), reload-or-restart: units that are not running yet are started
		{says: "reload-or-restart", line: "systemctl reload-or-restart a && systemctl is-active a", out: "active\n"},
		// LSB, "Init Script Actions": 5 program is not installed; systemctl(1), "EXIT STATUS" refers to it
		{says: "exit 5", line: "systemctl start absent", err: "Unit absent.service not found.", status: 5},
		{says: "exit 5", line: "systemctl restart absent", err: "Unit absent.service not found.", status: 5},
		{says: "exit 5", line: "systemctl try-restart absent", err: "not found", status: 5},
		{says: "exit 5", line: "systemctl stop absent", err: "Unit absent.service not loaded.", status: 5},
		// systemctl(1), the first line of "DESCRIPTION": one failing unit fails the command
		{says: "one of two", line: "systemctl start absent a; echo $?; systemctl is-active a", out: "5\nactive\n", err: "absent"},
		// systemctl(1), reset-failed: resets the failed state
		{says: "reset-failed", before: "systemctl start a; while systemctl is-active -q a; do sleep 0.01; done",
			line: "systemctl reset-failed a && systemctl is-active a", out: "inactive\n", status: 3,
			service: "/fail"},
		{says: "reset-failed", line: "systemctl reset-failed absent", err: "not loaded", status: 1},
		// systemctl(1), kill: the processes of a unit get a signal
		{says: "kill", before: "systemctl start a", line: "systemctl kill a; while systemctl is-active -q a; do sleep 0.01; done; echo gone",
			out: "gone\n"},
		{says: "kill", line: "systemctl kill absent", err: "not loaded", status: 1},
		// systemctl(1), mask: "make it impossible to start them"
		{says: "mask", line: "systemctl mask c && systemctl is-enabled c; systemctl start c", out: "masked\n", err: "Unit c.service is masked.",
			status: 1},
		{says: "mask", before: "systemctl mask c", line: "systemctl show -p LoadState -p UnitFileState c",
			out: "LoadState=masked\nUnitFileState=masked\n"},
		{says: "mask", before: "systemctl mask c", line: "systemctl status c", out: "~Loaded: masked", status: 3},
		{says: "mask", before: "systemctl mask c", line: "systemctl cat c", out: "# Unit c.service is masked.\n"},
		{says: "unmask", before: "systemctl mask c && systemctl unmask c", line: "systemctl is-enabled c", err: "No such file", status: 1},
		// systemctl(1), cat: the files of units, each with a comment that names it, drop-ins after
		{says: "cat", line: "systemctl cat d",
			out: "# /etc/systemd/system/d.service\n[Service]\nExecStart=/run\n\n" +
				"# /etc/systemd/system/d.service.d/10.conf\n[Service]\nEnvironment=X=1\n"},
		{says: "cat", line: "systemctl cat absent", err: "No files found for absent.service.", status: 1},
		// systemctl(1), show: properties; -p limits them and may be repeated or a list; --value leaves out the names
		{says: "show", line: "systemctl show -p FragmentPath a", out: "FragmentPath=/etc/systemd/system/a.service\n"},
		{says: "show", line: "systemctl show -p FragmentPath absent", out: "FragmentPath=\n"},
		{says: "show", line: "systemctl show --property=LoadState --value absent", out: "not-found\n"},
		{says: "show", line: "systemctl show -p ActiveState,SubState a", out: "ActiveState=inactive\nSubState=dead\n"},
		{says: "show", line: "systemctl show -pLoadState a", out: "LoadState=loaded\n"},
		{says: "show", before: "systemctl start a", line: "systemctl show -p SubState -p ActiveState -p NRestarts a",
			out: "NRestarts=0\nActiveState=active\nSubState=running\n"},
		{says: "show, two units", line: "systemctl show -p Id a b", out: "Id=a.service\n\nId=b.service\n"},
		{says: "show", line: "systemctl show -p DropInPaths d", out: "DropInPaths=/etc/systemd/system/d.service.d/10.conf\n"},
		{says: "show", line: "systemctl show -p NoSuchProperty a", err: "not in the lab", status: 1},
		{says: "show", before: "systemctl start a", line: "systemctl show --timestamp=unix -p ActiveEnterTimestamp a",
			out: "~ActiveEnterTimestamp=@"},
		{says: "show", line: "systemctl show -p ActiveEnterTimestamp a", out: "ActiveEnterTimestamp=\n"},
		// systemctl(1), status: exit 3 for a unit that is not active; -n shows that many lines of the journal
		{says: "status", before: "systemctl start a", line: "systemctl status a", out: "~Active: active (running)"},
		{says: "status", line: "systemctl status a", out: "~Active: inactive (dead)", status: 3},
		{says: "status", before: "systemctl start a; while systemctl is-active -q a; do sleep 0.01; done", line: "systemctl status a",
			out: "~Active: failed", status: 3, service: "/fail"},
		{says: "status", before: "systemctl start a", line: "systemctl status -n 0 a | grep -c Started", out: "0\n", status: 1},
		{says: "status", before: "systemctl start a", line: "systemctl status --lines=1 a | grep -c Started", out: "1\n"},
		// systemctl(1), enable --now and disable --now: the units are also started, or stopped
		{says: "--now", line: "systemctl enable --now a 2>/dev/null && systemctl is-active a && systemctl is-enabled a",
			out: "active\nenabled\n"},
		{says: "--now", before: "systemctl enable --now a",
			line: "systemctl disable --now a 2>/dev/null; systemctl is-active a; systemctl is-enabled a", out: "inactive\ndisabled\n", status: 1},
		// systemctl(1), enable: "does not ... have the effect of also starting"
		{says: "enable", line: "systemctl enable a 2>/dev/null; systemctl is-active a", out: "inactive\n", status: 3},
		// systemctl(1), daemon-reload; is-system-running: "running" and 0
		{says: "daemon-reload", line: "systemctl daemon-reload"},
		{says: "is-system-running", line: "systemctl is-system-running", out: "running\n"},
		{says: "list-units", line: "systemctl list-units --plain --no-legend a", out: "  a.service loaded inactive dead a test\n"},
		// systemctl(1): wrong calls
		{says: "a verb", line: "systemctl nosuch a", err: "Unknown command verb", status: 1},
		{says: "an option", line: "systemctl --nosuch start a", err: "unrecognized option", status: 1},
		{says: "no unit", line: "systemctl start", err: "Too few arguments", status: 1},
		{says: "no value", line: "systemctl show a -p", err: "requires an argument", status: 1},
		{says: "--wait would wait for the service's end", line: "systemctl start --wait a", err: "unrecognized option", status: 1},
		// systemctl(1), --no-ask-password: without a password an ordinary user may change nothing
		{says: "polkit", user: "ops", line: "systemctl start a", err: "authentication required", status: 1},
		{says: "polkit", user: "ops", line: "systemctl daemon-reload", err: "authentication required", status: 1},
		{says: "polkit", user: "ops", line: "systemctl enable a", err: "authentication required", status: 1},
		{says: "polkit", user: "ops", line: "systemctl reboot", err: "authentication required", status: 1},
		{says: "polkit", user: "ops", line: "systemctl is-active a", out: "inactive\n", status: 3},
		// journalctl(1), -u, -n, -o, "-- No entries --"
		{says: "no entries", line: "journalctl -u a -n 5 --no-pager -o short-iso", out: "-- No entries --\n"},
		{says: "-n", before: "systemctl start a; systemctl restart a", line: "journalctl -u a -n 1 -o cat",
			out: "systemd[1]: Started a.service - a test.\n"},
		{says: "-n 0", before: "systemctl start a", line: "journalctl -u a -n 0"},
		{says: "-n all", before: "systemctl start a; systemctl restart a", line: "journalctl -u a.service --lines=all -o cat | grep -c Started",
			out: "2\n"},
		{says: "short-iso", before: "systemctl start a",
			line: "journalctl --unit=a -o short-iso | grep -cE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[+]0000 '", out: "1\n"},
		{says: "-f would wait", line: "journalctl -u a -f", err: "unrecognized option", status: 1},
		{says: "--since", before: "systemctl start a", line: "journalctl -u a --since @4102444800 -o cat", out: "-- No entries --\n"},
		{says: "--until", before: "systemctl start a; sleep 0.01", line: "journalctl -u a --until @$(date +%s.%N) -n 1 -o cat",
			out: "systemd[1]: Started a.service - a test.\n"},
		// journalctl(1), --show-cursor, --cursor ("at the location"), --after-cursor ("after the location"); -q: no "-- No entries --"
		{says: "cursors", before: "systemctl start a; systemctl restart a",
			line: "c=$(journalctl -u a -n 1 -q --show-cursor -o cat | sed -n '$s/^-- cursor: //p'); systemctl restart a; " +
				"at=$(journalctl -u a --cursor=$c -n 1 -o cat --show-cursor); [ \"${at##*-- cursor: }\" = \"$c\" ] && " +
				"journalctl -u a --after-cursor $c -o cat | grep -c Started", out: "1\n"},
		{says: "-q", line: "journalctl -u a -q"},
		// systemd.exec(5), $INVOCATION_ID: a random 128-bit ID that is new with each start, 32 hexadecimal characters
		{says: "show", before: "systemctl start a", line: "was=$(systemctl show -p InvocationID a); systemctl restart a; echo \"$was\" | " +
			"grep -cE '^InvocationID=[0-9a-f]{32}$'; [ \"$was\" = \"$(systemctl show -p InvocationID a)\" ] || echo other", out: "1\nother\n"},
		{says: "--since, in words", line: "journalctl -u a --since today", err: "failed to parse timestamp", status: 1},
	} {
		t.Run(tc.says+": "+tc.line, func(t *testing.T) {
			b := newBox(t)
			service := tc.service
			if service == "" {
				service = "/run"
			}
			b.write(etc+"a.service", unit(service))
			b.write(etc+"b.service", unit("/run"))
			b.write(etc+"d.service", "[Service]\nExecStart=/run\n")
			b.write(etc+"d.service.d/10.conf", "[Service]\nEnvironment=X=1\n")
			if tc.before != "" {
				if got := b.run("root", tc.before); strings.Contains(got.err, "ailed to") {
					t.Fatalf("%s: %+v", tc.before, got)
				}
			}
			user := tc.user
			if user == "" {
				user = "root"
			}
			got := b.run(user, tc.line)
			want, part := strings.CutPrefix(tc.out, "~")
			if got.status != tc.status || !part && got.out != want || part && !strings.Contains(got.out, want) || !strings.Contains(got.err,
				tc.err) || tc.err == "" && got.err != "" {
				t.Errorf("got  %+v\nwant rc=%d out=%q err=%q", got, tc.status, tc.out, tc.err)
			}
		})
	}
}
