package page

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/calendar"
	"kiban.dev/kiban/lifecycle/fleet"
)

func (s site) supportSection() Section {
	return section(s, "support", "Support, and by when to leave", s.Support, func(out *Section, e calendar.Entry) {
		out.Facts = []Fact{{"Support", s.support()}}
		if !e.OpenBy.IsZero() {
			out.Facts = append(out.Facts, Fact{"Open the first merge request by", Cell{Text: day(e.OpenBy)}}, Fact{"It is for",
				Cell{Text: e.First}},
				Fact{"Goes to", Cell{Text: e.Target}}, Fact{"Is off then by", Cell{Text: day(e.Off)}})
		}
		out.Lines = texts(e.Assumed)
		if e.Why != "" {
			out.Lines = append(out.Lines, Cell{Text: e.Why})
		}
	})
}

func (s site) runsSection() Section {
	return section(s, "runs", "Runs", s.Runs, func(out *Section, runs []lifecycle.RunRecord) {
		t := &Table{Caption: "What the cluster keeps of its last runs, the newest first", Empty: "The cluster keeps none.",
			Head: []string{"Ended", "Run", "What", "Versions", "Result", "Steps", "Took", "By"}}
		for _, r := range runs {
			c := s.runCells(r)
			took := r.Ended.Sub(r.Began)
			t.Rows = append(t.Rows, []Cell{c[1], c[2], c[3], c[4], c[5], c[6], {Text: lifecycle.Span(took),
				Key: numberKey(int(took / time.Second))}, c[7]})
		}
		out.Table = t
		if len(runs) > 0 {
			out.Lines = []Cell{{Text: "In full, with its timeline: kiban show " + lifecycle.ShellWord(s.Site) + " RUN -o html"}}
		}
	})
}

func (s site) locksSection() Section {
	return section(s, "locks", "Locks", s.Locks, func(out *Section, locks []lifecycle.Lock) {
		for _, l := range locks {
			if !l.Held() {
				continue
			}
			text := fmt.Sprintf("Run %s holds %s since %s, last renewed %s", l.Holder, cmp.Or(l.Where, "a lock"), lifecycle.Stamp(l.Since),
				lifecycle.Stamp(l.Renewed))
			if l.Who != "" || l.Doing != "" {
				text += fmt.Sprintf(" (%s)", strings.TrimSpace(l.Who+" "+l.Doing))
			}
			mark := MarkNone
			if s.Asked.Sub(l.Renewed) > lifecycle.LockDuration {
				text, mark = text+": it has lapsed", MarkOdd
			}
			out.Lines = append(out.Lines, Cell{Text: text, Mark: mark})
		}
		if len(out.Lines) == 0 {
			out.Lines = []Cell{{Text: "None is held."}}
		}
	})
}

func (s site) backupsSection() Section {
	return section(s, "backups", "Backups", s.Backups, func(out *Section, b fleet.Backups) {
		out.Facts = []Fact{{"Known", Cell{Text: fmt.Sprint(b.Count)}}, {"Last proven restore", s.proven()}}
		if why := s.unproven(b); why != "" {
			out.Facts = append(out.Facts, Fact{"Unproven, for", Cell{Text: why, Mark: MarkOdd}})
		}
		if b.Proven != nil {
			out.Facts = append(out.Facts, Fact{"What was restored", Cell{Text: fmt.Sprintf("%s, %s objects", b.Proven.Backup,
				fmt.Sprint(b.Proven.Objects))}})
		}
		if len(b.Unasked) > 0 {
			out.Facts = append(out.Facts, Fact{"Not asked", Cell{Text: lifecycle.Enumerate(b.Unasked), Mark: MarkUnknown}})
		}
		t := &Table{Caption: "The newest backups", Head: []string{"Taken", "Name", "Place", "Version", "Read back", "Encrypted"},
			Empty: "None is known."}
		for _, k := range b.Newest {
			t.Rows = append(t.Rows, []Cell{{Text: k.Taken}, {Text: k.Name}, {Text: k.Place}, {Text: k.Version.String()},
				{Text: cmp.Or(k.Verified, "never")},
				{Text: yesNo(k.Encrypted)}})
		}
		out.Table = t
	})
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (s site) certificatesSection() Section {
	return section(s, "certificates", "Certificates", s.Certificates, func(out *Section, all []fleet.HostCertificate) {
		out.Table = &Table{Caption: "The certificates that end first on each machine", Head: []string{"Machine", "Certificate", "Ends",
			"Renewed"},
			Rows: s.certificateRows(all), Empty: "None is known."}
	})
}

func (s site) machinesSection() Section {
	return section(s, "machines", "Machines", s.Machines, func(out *Section, all []fleet.Machine) {
		t := &Table{Caption: lifecycle.Count(len(all), "machine"), Head: []string{"Machine", "Role", "k0s", "System", "Kernel", "Answers"},
			Empty: "It has none."}
		for _, m := range all {
			answers := Cell{Text: "yes"}
			if m.Problem != "" {
				answers = Cell{Text: m.Problem, Mark: MarkBad}
			}
			version := ""
			if !m.Version.IsZero() {
				version = m.Version.String()
			}
			t.Rows = append(t.Rows, []Cell{{Text: m.Name}, {Text: string(m.Role)}, {Text: version, Key: versionKey(version)},
				{Text: strings.TrimSpace(m.OS + " " + m.Arch)}, {Text: m.Kernel}, answers})
		}
		out.Table = t
	})
}

func (s site) addonsSection() Section {
	return section(s, "addons", "Addons", s.Addons, func(out *Section, all []fleet.InstalledAddon) {
		declared := map[string]string{}
		for _, a := range s.Declared.Value.Addons {
			declared[a.Name] = a.Version
		}
		t := &Table{Caption: "What is installed beside Kubernetes", Head: []string{"Addon", "Declared", "Installed", "Well"}, Empty: "None."}
		for _, a := range all {
			want := cmp.Or(declared[a.Name], "yes")
			if !a.Declared {
				want = "no"
			}
			has := Cell{Text: cmp.Or(a.Version, yesNo(a.Installed))}
			if a.Version != "" && declared[a.Name] != "" && a.Version != declared[a.Name] || a.Declared != a.Installed {
				has.Mark = MarkOdd
			}
			well := Cell{Text: "yes", Mark: MarkGood}
			switch {
			case a.Unknown != "":
				well, has = Cell{Text: "not known: " + a.Unknown, Mark: MarkUnknown}, Cell{Text: "not known", Mark: MarkUnknown}
			case !a.Well:
				well = Cell{Text: cmp.Or(a.Why, "no"), Mark: MarkBad}
			}
			t.Rows = append(t.Rows, []Cell{{Text: a.Name}, {Text: want}, has, well})
		}
		out.Table = t
	})
}

func (s site) tenantsSection() Section {
	return section(s, "tenants", "Tenants", s.Tenants, func(out *Section, all []lifecycle.TenantUse) {
		t := &Table{Caption: "What tenants use of their quotas", Head: []string{"Tenant", "Namespace", "Resource", "Used", "Share"},
			Empty: "It has none."}
		for _, u := range all {
			if len(u.Resources) == 0 {
				says := "no quota"
				if u.Missing {
					says = "the cluster has no such namespace"
				}
				t.Rows = append(t.Rows, []Cell{{Text: u.Tenant}, {Text: u.Namespace}, {Text: says}, {}, {}})
			}
			for _, r := range u.Resources {
				t.Rows = append(t.Rows, []Cell{{Text: u.Tenant}, {Text: u.Namespace}, {Text: r.Name}, {Text: r.Used + " of " + r.Hard},
					{Text: fmt.Sprintf("%.0f %%", 100*r.Share), Key: fmt.Sprintf("%012.4f", r.Share), Mark: shareMark(r.Share)}})
			}
		}
		out.Table = t
	})
}

func (s site) declaredSection() Section {
	return section(s, "declared", "What the repository says", s.Declared, func(out *Section, d fleet.Declaration) {
		fact := func(name, text string) {
			if text != "" {
				out.Facts = append(out.Facts, Fact{name, Cell{Text: text}})
			}
		}
		fact("Revision", lifecycle.ShortRevision(cmp.Or(d.Revision, s.Revision)))
		fact("Version", declaredVersion(s))
		fact("Machines", fmt.Sprintf("%s, %s", lifecycle.Count(d.Controllers, "controller"), lifecycle.Count(d.Workers, "worker")))
		fact("Wave and labels", s.labels().Text)
		if len(d.Promotion.From) > 0 {
			fact("Takes versions after", fmt.Sprintf("%s, which must run them for %s", lifecycle.Enumerate(d.Promotion.From),
				lifecycle.Span(d.Promotion.Soak)))
		}
		if n := len(d.Windows); n > 0 {
			fact("Maintenance windows", fmt.Sprint(n))
		}
		fact("Backups go to", lifecycle.Enumerate(d.BackupTo))
		fact("Components", strings.Join(d.Components, ", "))
		fact("Tenants", strings.Join(slices.Sorted(slices.Values(d.Tenants)), ", "))
		addons := map[string]string{}
		for _, a := range d.Addons {
			addons[a.Name] = strings.TrimSpace(a.Name + " " + a.Version)
		}
		var list []string
		for _, name := range slices.Sorted(maps.Keys(addons)) {
			list = append(list, addons[name])
		}
		fact("Addons", strings.Join(list, ", "))
	})
}
