package fleet

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"kiban.dev/kiban/lifecycle"
)

// WriteMetrics writes what is known of sites as OpenMetrics text, the same text for the same input. unread is how many files could not be
// read. What is not known now has no line: kiban_site_known says of each part whether it is.
func WriteMetrics(w io.Writer, sites []Collected, unread int, now time.Time) error {
	m := metrics{now: now, of: map[string]*dto.MetricFamily{}}
	m.add("kiban_fleet_sites", "Sites that have a file.", float64(len(sites)))
	m.add("kiban_fleet_unreadable_files", "Files of the collect that could not be read.", float64(unread))
	for _, c := range sites {
		m.site(c)
		if s, ok := c.Standing.Now(); ok {
			m.standing(c, s)
		}
		m.changes(c)
		m.kept(c)
		m.tenants(c)
	}
	for _, f := range m.all {
		if _, err := expfmt.MetricFamilyToOpenMetrics(w, f); err != nil {
			return err
		}
	}
	_, err := expfmt.FinalizeOpenMetrics(w)
	return err
}

// metrics are gauges by name, in the order in which each was first added.
type metrics struct {
	now time.Time
	all []*dto.MetricFamily
	of  map[string]*dto.MetricFamily
}

// add adds a value with its labels, name after name and value.
func (m *metrics) add(name, help string, value float64, labels ...string) {
	f, known := m.of[name]
	if !known {
		f = &dto.MetricFamily{Name: new(name), Help: new(help), Type: new(dto.MetricType_GAUGE)}
		m.of[name], m.all = f, append(m.all, f)
	}
	one := &dto.Metric{Gauge: &dto.Gauge{Value: new(value)}}
	for i := 0; i+1 < len(labels); i += 2 {
		one.Label = append(one.Label, &dto.LabelPair{Name: new(labels[i]), Value: new(strings.ToValidUTF8(labels[i+1], "?"))})
	}
	f.Metric = append(f.Metric, one)
}

// site is what a site is, when it was asked, and what is known of it.
func (m *metrics) site(c Collected) {
	info := []string{"site", c.Site}
	if d, _, ok := c.Declared.Last(); ok {
		info = append(info, "wave", fmt.Sprint(d.Wave), "provider", string(d.Provider))
		if !d.Version.IsZero() {
			info = append(info, "declared", d.Version.String())
		}
		info = append(info, labelsOf(d.Labels)...)
	}
	if s, ok := c.Standing.Now(); ok {
		info = append(info, "running", strings.Join(s.Running, ","))
	}
	m.add("kiban_site_info", "What a site is: its labels, the k0s version that is declared, and those that run.", 1, info...)
	m.add("kiban_site_asked_timestamp_seconds", "When the site was asked last.", float64(c.Asked.Unix()), "site", c.Site)
	m.add("kiban_site_answered", "Whether anything could be learnt of the site then.", number(c.Failed == ""), "site", c.Site)
	if _, at, ok := c.Standing.Last(); ok {
		m.add("kiban_site_known_age_seconds", "How old the last look is that found anything out.", m.age(at), "site", c.Site)
	}
	for _, p := range c.parts() {
		_, unknown := p.learnt()
		m.add("kiban_site_known", "Whether a part was learnt when the site was asked last.", number(unknown == ""), "site", c.Site,
			"part", p.name)
	}
}

// standing is how a site is.
func (m *metrics) standing(c Collected, s Standing) {
	site := c.Site
	m.add("kiban_site_machines", "Machines that are declared.", float64(s.Machines), "site", site)
	m.add("kiban_site_machines_reached", "Machines that answered.", float64(s.Reached), "site", site)
	if s.API == "" && !s.NotYet {
		m.add("kiban_site_nodes", "Nodes of the cluster.", float64(s.Nodes), "site", site)
		m.add("kiban_site_nodes_ready", "Nodes that are Ready.", float64(s.Ready), "site", site)
	}
	count := map[lifecycle.Severity]int{}
	for _, d := range s.Problems {
		count[d.Severity]++
	}
	for _, severity := range []lifecycle.Severity{lifecycle.SeverityError, lifecycle.SeverityBlocked, lifecycle.SeverityWarning} {
		m.add("kiban_site_problems", "Problems that were found.", float64(count[severity]), "site", site, "severity", string(severity))
	}
	if _, all := c.Locks.Now(); all || s.Run != "" {
		m.add("kiban_site_lock_held", "Whether a run is changing the site.", number(s.Run != ""), "site", site)
	}
}

// changes is what is to be done at a site, what was, and by when.
func (m *metrics) changes(c Collected) {
	if d, ok := c.Drift.Now(); ok {
		m.add("kiban_site_drift_steps", "Steps that would bring the site to what is declared.", float64(d.Steps), "site", c.Site)
		m.add("kiban_site_drift_stops", "Findings that keep these from being carried out.", float64(len(d.Stops)), "site", c.Site)
	}
	if e, ok := c.Support.Now(); ok && !e.Ends.IsZero() {
		m.add("kiban_site_support_days_left", "Days until the minor release that runs gets no more patches.", m.days(e.Ends), "site", c.Site)
		if !e.OpenBy.IsZero() {
			m.add("kiban_site_slack_days", "Days until the first merge request away from it must be open.", m.days(e.OpenBy), "site", c.Site)
		}
	}
	if f, ok := c.Ready.Now(); ok {
		for _, of := range []struct {
			rank string
			n    int
		}{{"blocks", f.Blocks}, {"attention", f.Attention}, {"good", f.Good}, {"unseen", f.Unseen}} {
			m.add("kiban_site_ready_findings", "What the next version would break, by rank.", float64(of.n), "site", c.Site, "to", f.To.String(),
				"rank", of.rank)
		}
	}
	if s, ok := c.Soak.Now(); ok {
		m.add("kiban_site_healthy", "Whether the site counts as healthy for those that wait for it.", number(s.Healthy), "site", c.Site)
	}
	if runs, ok := c.Runs.Now(); ok && len(runs) > 0 {
		r := runs[0]
		m.add("kiban_site_last_run_ended_timestamp_seconds", "When the last run ended, or last said something.", float64(r.Ended.Unix()),
			"site", c.Site)
		for _, result := range []lifecycle.RunResult{lifecycle.RunDone, lifecycle.RunFailed, lifecycle.RunBlocked, lifecycle.RunInterrupted,
			lifecycle.RunUnended} {
			m.add("kiban_site_last_run_result", "How the last run ended: 1 for that one.", number(r.Result == result), "site", c.Site,
				"result", string(result))
		}
	}
}

// kept are backups and certificates.
func (m *metrics) kept(c Collected) {
	if b, ok := c.Backups.Now(); ok {
		m.add("kiban_site_backups", "Backups that are kept, as far as their places could be asked.", float64(b.Count), "site", c.Site)
		if len(b.Newest) > 0 {
			if at, err := time.Parse(time.RFC3339, b.Newest[0].Taken); err == nil {
				m.add("kiban_site_backup_age_seconds", "Age of the newest backup.", m.age(at), "site", c.Site)
			}
		}
		if age, known := b.Proven.Age(m.now); known {
			m.add("kiban_site_backup_proven_age_seconds", "How long ago a backup was last restored in a lab.", age.Seconds(), "site", c.Site)
		}
	}
	if all, ok := c.Certificates.Now(); ok {
		seen := map[lifecycle.Renewal]bool{}
		for _, one := range all { // the first to end stands first
			if !seen[one.Renewed] {
				seen[one.Renewed] = true
				m.add("kiban_site_certificate_days_left", "Days until the first certificate ends, by what renews it.", m.days(one.NotAfter),
					"site", c.Site, "renewed", string(one.Renewed))
			}
		}
	}
}

// tenants are what tenants use of their quotas.
func (m *metrics) tenants(c Collected) {
	uses, _ := c.Tenants.Now()
	for _, u := range uses {
		for _, r := range u.Resources {
			m.add("kiban_tenant_quota_share", "How much of its quota a namespace of a tenant uses, 1 is all.", r.Share, "site", c.Site, "tenant",
				u.Tenant, "namespace", u.Namespace, "resource", r.Name)
		}
	}
}

func (m *metrics) age(at time.Time) float64  { return max(0, m.now.Sub(at).Seconds()) }
func (m *metrics) days(at time.Time) float64 { return float64(int(at.Sub(m.now)/time.Hour)) / 24 }

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// noLabelName matches what the name of a label can't have.
var noLabelName = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// labelsOf are a site's labels as label_<name>, sorted. Of two whose names become the same the first one stays.
func labelsOf(labels map[string]string) (out []string) {
	seen := map[string]bool{}
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		if name := "label_" + noLabelName.ReplaceAllString(k, "_"); !seen[name] {
			seen[name], out = true, append(out, name, labels[k])
		}
	}
	return out
}
