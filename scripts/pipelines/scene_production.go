package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// prodSite is a second site, of the second wave, that takes only what the first has run for a while.
const (
	prodSite  = "lab-prod"
	prodFiles = "overlays/" + prodSite + "/"
)

// production: the waves, the job that somebody has to start, and the gate of promotion.
func (r *trial) production(ctx context.Context) error {
	for _, s := range []struct {
		title string
		play  func(context.Context) (string, error)
	}{
		{"an engineer brings in " + prodSite + ", tier production, wave 1, an hour's soak behind " + site, r.bringIn},
		{"a merge request to " + third + " is planned; the note says that it is too early", r.proposeEarly},
		{"it was rehearsed in a lab made of " + prodSite + "; the note says how it went", r.rehearsed},
		{"merged, the main pipeline waits for somebody to start apply:" + prodSite, r.waits},
		{"started, the gate stops it with exit code 3 and says why; no machine is touched", r.tooEarly},
		{"people are told once that it is blocked, also when the job is retried", r.toldBlocked},
		{"a merge request makes the soak five seconds; merged, the job waits again", r.shorten},
		{"started, it is applied", r.promote},
		{"GitLab has the deployment to production", r.deployedProduction},
		{"the main pipeline, run by hand, has both waves, and touches no machine", r.byWaves},
		{"the job of the first merge, retried by mistake, is refused: nothing goes back to " + second, r.overtaken},
	} {
		if err := r.step(s.title, func() (string, error) { return s.play(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

// bringIn makes the second site's machines and overlay, and applies it as an engineer does.
func (r *trial) bringIn(ctx context.Context) (string, error) {
	name, hold, err := freeNet("", "239")
	if err != nil {
		return "", err
	}
	r.prod = &lab{bin: r.Lab, dir: filepath.Join(r.work, prodSite), net: name, env: r.env, hold: hold}
	if err := r.prod.up(ctx, 1, 2); err != nil {
		return "", err
	}
	backups := filepath.Join(r.work, "backups") // what outlives a job
	if err := os.Mkdir(backups, 0o700); err != nil {
		return "", err
	}
	for file, change := range map[string]func(string) string{
		"kustomization.yaml": func(s string) string { return s + ofProduction },
		"version.yaml":       strings.NewReplacer("name: lab", "name: "+prodSite, third, second).Replace,
		"cluster.yaml":       func(s string) string { return smaller(s, r.lab.net, name) },
		"site.yaml": strings.NewReplacer("name: lab", "name: "+prodSite, "tier: lab", "tier: production", r.lab.dir+"/", r.prod.dir+"/",
			"stableFor: 2s", "stableFor: 2s\n      reconnect: 5s",
			"wave: 0", "wave: 1\n  rehearse: {on: upgrade}\n  promotion:\n    from: ["+site+"]\n    soak: 1h\n"+
				"  backup:\n    recipients: ["+recipient+"]\n    to:\n    - folder: "+backups).Replace,
	} {
		b, err := os.ReadFile(filepath.Join(r.fleet.dir, "overlays", site, file))
		if err != nil {
			return "", err
		}
		if err := r.fleet.write(prodFiles+file, change(string(b))); err != nil {
			return "", err
		}
	}
	if _, err := r.fleet.commit(ctx, prodSite+": begin"); err != nil {
		return "", err
	}
	if err := r.fleet.push(ctx, "main"); err != nil {
		return "", err
	}
	if _, err := must(ctx, r.fleet.dir, r.env, r.Kiban, "apply", prodSite, "--yes"); err != nil {
		return "", err
	}
	return "1 controller and 2 workers on " + name + ".0/24, at " + second, r.at(ctx, prodSite, second)
}

// ofProduction is what every production site of the example fleet has: its group, and the tenants whose quotas that changes.
const ofProduction = "components:\n- ../../clusters/components/tenants-shared\n- ../../clusters/groups/production\n"

// smaller keeps of a site's machines the first controller and two workers, on another net.
func smaller(cluster, from, to string) string {
	parts := strings.Split(cluster, "  - hostname: ")
	out := strings.Replace(parts[0], "name: lab", "name: "+prodSite, 1)
	for _, p := range parts[1:] {
		if machine, _, _ := strings.Cut(p, "\n"); machine == "controller-1" || machine == "worker-1" || machine == "worker-2" {
			out += "  - hostname: " + strings.ReplaceAll(p, from+".", to+".")
		}
	}
	return out
}

func (r *trial) proposeEarly(ctx context.Context) (string, error) {
	m, l, err := r.proposeProd(ctx, "lab-prod-k0s-1.36.3", "version.yaml", second, third)
	if err != nil {
		return "", err
	}
	r.planned = l
	notes := r.project.notesOf(m)
	if len(notes) != 1 {
		return "", fmt.Errorf("the merge request has %d notes", len(notes))
	}
	for line := range strings.Lines(notes[0].Body) {
		if strings.Contains(line, third) && strings.Contains(line, "1h") {
			return strings.TrimSpace(line), l.want("success")
		}
	}
	return "", fmt.Errorf("the note does not say how long %s has run %s:\n%s", site, third, notes[0].Body)
}

// rehearsed holds that the job beside the plan's has left its result, and what the note says of it.
func (r *trial) rehearsed(context.Context) (string, error) {
	job, ran := r.planned.job("rehearse:" + prodSite)
	if !ran {
		return "", fmt.Errorf("there was no job rehearse:%s, but %q", prodSite, r.planned.names())
	}
	for _, left := range []string{prodSite + ".json", prodSite + ".html"} {
		if _, err := os.Stat(filepath.Join(job.Artifacts, "rehearsals", left)); err != nil {
			return "", fmt.Errorf("%w\n%s", err, tail(job.Log, 40))
		}
	}
	told := regexp.MustCompile(`(?i)rehearsed: \d+ of \d+ steps`)
	body := r.project.notesOf(r.proposed)[0].Body
	for line := range strings.Lines(body) {
		if told.MatchString(line) {
			return strings.TrimSpace(line), nil
		}
	}
	return "", fmt.Errorf("the note does not say how it went:\n%s", body)
}

// proposeProd opens a merge request of one line of the second site, and runs its pipeline.
func (r *trial) proposeProd(ctx context.Context, branch, file, from, to string) (*mergeRequest, *pipeline, error) {
	m, e, err := r.mergeRequest(ctx, branch, prodFiles+file, from, to)
	if err != nil {
		return nil, nil, err
	}
	r.proposed = m
	l, err := r.start(ctx, e)
	return m, l, err
}

func (r *trial) waits(ctx context.Context) (string, error) {
	var err error
	if r.main, err = r.push(ctx, r.proposed); err != nil {
		return "", err
	}
	if _, ran := r.main.job("apply:" + prodSite); ran {
		return "", fmt.Errorf("nobody started apply:%s, and it ran", prodSite)
	}
	if _, looked := r.main.job("soak:" + site); !looked {
		return "", fmt.Errorf("no job has looked at %s: %q", site, r.main.names())
	}
	return strings.Join(r.main.names(), ", "), r.main.want("manual")
}

func (r *trial) tooEarly(ctx context.Context) (string, error) {
	mark, err := r.prod.ask(ctx, "mark")
	if err != nil {
		return "", err
	}
	r.heard = len(r.project.messages(0))
	if err := r.jobs(ctx, r.main.children[0], nil, "apply:"+prodSite); err != nil {
		return "", err
	}
	job, _ := r.main.job("apply:" + prodSite)
	if job.Code != 3 || !strings.Contains(job.Log, third) || !strings.Contains(job.Log, "1h") {
		return "", fmt.Errorf("it ended with exit code %d, not 3, or does not say why\n%s", job.Code, tail(job.Log, 40))
	}
	changes, err := r.prod.changes(ctx, mark)
	if err == nil && changes != "" {
		err = fmt.Errorf("machines were changed:\n%s", changes)
	}
	for line := range strings.Lines(job.Log) {
		if strings.Contains(line, site+" has run ") {
			return strings.TrimSpace(line), err
		}
	}
	return "", err
}

// toldBlocked: the time that it has waited has grown when the job is retried, and is no other reason.
func (r *trial) toldBlocked(ctx context.Context) (string, error) {
	if err := r.jobs(ctx, r.main.children[0], nil, "apply:"+prodSite); err != nil {
		return "", err
	}
	said := r.project.messages(r.heard)
	if len(said) != 1 || !strings.Contains(said[0], "blocked") {
		return "", fmt.Errorf("%d messages were sent:\n%s", len(said), strings.Join(said, "\n\n"))
	}
	return headline(said[0]), nil
}

func (r *trial) shorten(ctx context.Context) (string, error) {
	_, l, err := r.proposeProd(ctx, "lab-prod-soak", "site.yaml", "soak: 1h", "soak: 5s")
	if err != nil {
		return "", err
	}
	if err := l.want("success"); err != nil {
		return "", err
	}
	return r.waits(ctx)
}

func (r *trial) promote(ctx context.Context) (string, error) {
	if err := r.jobs(ctx, r.main.children[0], nil, "apply:"+prodSite); err != nil {
		return "", err
	}
	if err := r.main.want("success"); err != nil {
		return "", err
	}
	kept, err := filepath.Glob(filepath.Join(r.work, "backups", prodSite+"-"+second+"-*.age.json"))
	if err == nil && len(kept) != 1 {
		err = fmt.Errorf("the upgrade left %q where its backup was to go", kept)
	}
	if err != nil {
		return "", err
	}
	return "its backup is in " + filepath.Join(r.work, "backups"), r.at(ctx, prodSite, third)
}

func (r *trial) deployedProduction(context.Context) (string, error) {
	all := r.project.deployments()
	last := all[len(all)-1]
	if want := "production/" + prodSite; last.Environment.Name != want || last.Status != "success" || last.SHA != r.main.SHA {
		return "", fmt.Errorf("the last deployment is %+v, not one to %s of %s", last, want, r.main.SHA)
	}
	return fmt.Sprintf("%s at %.8s", last.Environment.Name, last.SHA), nil
}

// byWaves runs the pipeline of main without a push: all sites have a job.
func (r *trial) byWaves(ctx context.Context) (string, error) {
	marks := map[*lab]string{r.lab: "", r.prod: ""}
	for l := range marks {
		mark, err := l.ask(ctx, "mark")
		if err != nil {
			return "", err
		}
		marks[l] = mark
	}
	var err error
	if r.main, err = r.start(ctx, event{source: "web", sha: r.main.SHA}); err != nil {
		return "", err
	}
	if err := r.main.want("manual"); err != nil {
		return "", err
	}
	if err := r.jobs(ctx, r.main.children[0], nil, "apply:"+prodSite); err != nil {
		return "", err
	}
	for l, mark := range marks {
		changes, err := l.changes(ctx, mark)
		if err != nil {
			return "", err
		}
		if changes != "" {
			return "", fmt.Errorf("machines were changed:\n%s", changes)
		}
	}
	var order []string
	for _, j := range r.main.children[0].specs {
		order = append(order, j.Stage+": "+j.Name)
	}
	if want := "wave-0: apply:lab, soak-1: soak:lab, wave-1: apply:lab-prod"; strings.Join(order, ", ") != want {
		return "", fmt.Errorf("the jobs are %q, not %s", order, want)
	}
	return strings.Join(order, ", "), r.main.want("success")
}

// overtaken retries a job whose commit is not what the site is at any more.
func (r *trial) overtaken(ctx context.Context) (string, error) {
	mark, err := r.lab.ask(ctx, "mark")
	if err != nil {
		return "", err
	}
	if err := r.jobs(ctx, r.oldest.children[0], nil, "apply:"+site); err != nil {
		return "", err
	}
	job, _ := r.oldest.job("apply:" + site)
	changes, err := r.lab.changes(ctx, mark)
	switch {
	case err != nil:
		return "", err
	case job.Code == 0 || changes != "":
		return "", fmt.Errorf("it ended with exit code %d, and changed %q\n%s", job.Code, changes, tail(job.Log, 40))
	}
	return fmt.Sprintf("exit code %d", job.Code), nil
}
