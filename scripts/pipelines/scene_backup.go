package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// The key pair of production's backups. It is for trials alone.
const (
	recipient = "age1zk4vufppvd9n0gqq8cvy2xxnc3najsrv5ucth4aqgdm2j5zphe3qsznjrj"
	identity  = "AGE-SECRET-KEY-1KAZEWKD22MCJA7W0KG5SX6F5MWGMAGUW0GCST22AEXWP2GL2D78STMSHSX"
)

// identityFile holds the private key: a variable of type file, as GitLab has it.
const identityFile = "backups.key"

// writeIdentity writes that file.
func (r *trial) writeIdentity() (path string, err error) {
	path = filepath.Join(r.work, identityFile)
	return path, os.WriteFile(path, []byte(identity+"\n"), 0o600)
}

// backups: the schedule that takes backups, and has each restored in a lab.
func (r *trial) backups(ctx context.Context) error {
	for _, s := range []struct {
		title string
		play  func(context.Context) (string, error)
	}{
		{"an engineer asks for backups of " + prodSite + " that are proven", r.askForProof},
		{"its pipeline is green: a backup is taken, and restored in a lab within the job", r.backUp},
		{"the job's report says what came back", r.cameBack},
		{"kiban backup list and kiban status say that it is proven", r.provenEverywhere},
	} {
		if err := r.step(s.title, func() (string, error) { return s.play(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

func (r *trial) askForProof(ctx context.Context) (string, error) {
	file := prodFiles + "site.yaml"
	b, err := os.ReadFile(filepath.Join(r.fleet.dir, file))
	if err != nil {
		return "", err
	}
	if err := r.fleet.write(file, strings.Replace(string(b), "  backup:\n", "  backup:\n    proven: 24h\n", 1)); err != nil {
		return "", err
	}
	if _, err := r.fleet.commit(ctx, prodSite+": proven backups"); err != nil {
		return "", err
	}
	return "spec.backup.proven: 24h", r.fleet.push(ctx, "main")
}

func (r *trial) backUp(ctx context.Context) (string, error) {
	sha, err := r.fleet.head(ctx)
	if err != nil {
		return "", err
	}
	r.main, err = r.start(ctx, event{source: "schedule", sha: sha, variables: map[string]string{"KIBAN_BACKUP": "true"}})
	if err != nil {
		return "", err
	}
	if err := r.main.want("success"); err != nil {
		return "", err
	}
	for _, name := range []string{"backup:" + prodSite, "drill:" + prodSite} {
		if _, ran := r.main.job(name); !ran {
			return "", fmt.Errorf("there was no job %s, but %q", name, r.main.names())
		}
	}
	return strings.Join(r.main.names(), ", "), nil
}

func (r *trial) cameBack(context.Context) (string, error) {
	job, _ := r.main.job("drill:" + prodSite)
	b, err := os.ReadFile(filepath.Join(job.Artifacts, "drills", prodSite+".md"))
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, tail(job.Log, 40))
	}
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, "is proven") {
			return strings.Trim(line, "*# \n"), nil
		}
	}
	return "", fmt.Errorf("it does not say that the backup is proven:\n%s", b)
}

// provenEverywhere holds that both commands tell when the backup was proven, and how long that took.
func (r *trial) provenEverywhere(ctx context.Context) (string, error) {
	said := ""
	for _, c := range []struct {
		args []string
		told *regexp.Regexp
	}{
		{[]string{"backup", "list", prodSite}, regexp.MustCompile(`\d\d:\d\d:\d\d \([0-9ms]+\) .*` + prodSite)},
		{[]string{"status", prodSite}, regexp.MustCompile(`Last proven restore: [^.]*`)},
	} {
		out, err := must(ctx, r.fleet.dir, r.env, r.Kiban, c.args...)
		if err != nil {
			return "", err
		}
		if said = strings.TrimSpace(c.told.FindString(out)); said == "" {
			return "", fmt.Errorf("kiban %s does not say so:\n%s", strings.Join(c.args, " "), out)
		}
	}
	return said, nil
}
