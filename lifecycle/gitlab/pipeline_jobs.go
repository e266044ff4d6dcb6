package gitlab

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Scripts are for any POSIX shell, busybox's included: GitLab's runner takes bash where there is one, and sh elsewhere.

// writePlanJob leaves a plan, of which the note is made and which the main branch is held to, and its counts. A gate that blocks now may
// not block when the change is merged, so it warns. Of the actions of an environment that are no deployment, "access" is the one that asks
// least: neither an approval, nor that an environment lives longer for it.
// Where it is to be signed, it also leaves the sum of its file for the job that has it signed.
func writePlanJob(b *strings.Builder, s lifecycle.PipelineSite, signed bool) {
	begin, end, sum := "", "", ""
	if signed {
		begin, end = "\n    - status=0", " || status=$?\n    - printf 'KIBAN_PLAN_SHA256=%s\\n' \"$(sha256sum < plans/"+s.Name+
			".json | cut -d' ' -f1)\" > plans/"+s.Name+".env\n    - exit $status"
		sum = ", dotenv: plans/" + s.Name + ".env"
	}
	fmt.Fprintf(b, `
"`+planJob+`%[1]s":
  stage: plan
  interruptible: true
  environment: {name: %[2]s, action: access}
  script:
    - mkdir -p plans reports%[3]s
    - kiban plan %[1]s -o json --report reports/%[1]s.json > plans/%[1]s.json%[4]s
  allow_failure: {exit_codes: [3]}
  artifacts:
    when: always
    access: developer
    expire_in: 90 days
    paths: [plans/%[1]s.json]
    reports: {terraform: reports/%[1]s.json%[5]s}
`, s.Name, yamlString(environmentOf(s)), begin, end, sum)
}

// writeSignJob has GitLab sign a plan: the token's audience is the sum of the plan's file, and so part of what GitLab signs; the rest of
// the token says which job of which pipeline, commit and project asked for it, and when. It has no environment, and so none of the site's
// variables, and does nothing but keep the token: nobody else takes one for that audience.
func writeSignJob(b *strings.Builder, s lifecycle.PipelineSite) {
	fmt.Fprintf(b, `
"`+signJob+`%[1]s":
  stage: sign
  needs: ["`+planJob+`%[1]s"]
  interruptible: true
  id_tokens:
    KIBAN_PLAN_TOKEN: {aud: "`+signedAudience+`$KIBAN_PLAN_SHA256"}
  script:
    - mkdir -p signatures
    - printf '%%s' "$KIBAN_PLAN_TOKEN" > signatures/%[1]s.jwt
  allow_failure: true
  artifacts:
    access: developer
    expire_in: 90 days
    paths: [signatures/%[1]s.jwt]
`, s.Name)
}

// writeRehearseJob runs the plan in a lab that is made of the site, where the site asks for that. It stands beside the plan's job, for it
// makes the plan by itself. It stops nobody: the note tells how it went, and so does apply, where that must have been well.
func writeRehearseJob(b *strings.Builder, s lifecycle.PipelineSite, image string) {
	fmt.Fprintf(b, "\n\"%s%s\":\n  stage: plan\n", rehearseJob, s.Name)
	if image != "" {
		fmt.Fprintf(b, "  image: %s\n", yamlString(image))
	}
	fmt.Fprintf(b, `  interruptible: true
  timeout: 1h
  environment: {name: %[2]s, action: access}
  script:
    - mkdir -p rehearsals
    - kiban rehearse %[1]s --if-asked -o html --result rehearsals/%[1]s.json > rehearsals/%[1]s.html
  allow_failure: true
  artifacts:
    when: always
    access: developer
    expire_in: 90 days
    paths: [rehearsals/]
`, s.Name, yamlString(environmentOf(s)))
}

// writeSoakJob looks at a site that others wait for. It fails without stopping anybody: those who need its evidence are stopped by their
// gate, and nobody else.
func writeSoakJob(b *strings.Builder, s lifecycle.PipelineSite, stage string) {
	fmt.Fprintf(b, `
"soak:%[1]s":
  stage: %[3]s
  interruptible: true
  environment: {name: %[2]s, action: access}
  dependencies: []
  script:
    - mkdir -p soak
    - kiban ci soak %[1]s -o json > soak/%[1]s.json
  allow_failure: true
  artifacts:
    access: developer
    expire_in: 90 days
    paths: [soak/%[1]s.json]
`, s.Name, yamlString(environmentOf(s)), stage)
}

// writeNoteJob runs also when plans failed, and tells of them. A note that could not be written stops nobody: the plans are there.
// It has the whole history, for it compares what guards the sites with the target branch. more are further arguments.
func writeNoteJob(b *strings.Builder, p lifecycle.Pipeline, promotion bool, more string) {
	folders, args := "plans", more
	if promotion {
		folders, args = "plans soak", args+" --soak soak"
	}
	if slices.ContainsFunc(p.Sites, func(s lifecycle.PipelineSite) bool { return s.Rehearse }) {
		folders, args = folders+" rehearsals", args+" --rehearsals rehearsals"
	}
	if p.Base != "" {
		args += " --changed-since " + p.Base
	}
	for _, name := range p.Gone {
		args += " --gone " + name
	}
	for _, s := range p.Sites {
		args += " " + s.Name
	}
	fmt.Fprintf(b, `
note:
  stage: note
  when: always
  interruptible: true
  variables: {GIT_DEPTH: "0"}
  script:
    - mkdir -p %s
    - kiban ci note --plans plans%s
  allow_failure: true
`, folders, args)
}

// writeApplyJob is never cut off by a newer pipeline, and runs alone on its site. A wave begins when each job of the one before has
// succeeded, those that wait for somebody included: it has no needs, which would let it begin earlier. What runs is what was reviewed, or
// nothing. The script ends before the job's time does, so that what is told afterwards is told then, too.
//
// later: a schedule takes it up. Nothing is behind it, so one that may not go after all warns, and the next schedule asks again; one that
// waits for somebody to start it leaves the pipeline at its end.
func writeApplyJob(b *strings.Builder, s lifecycle.PipelineSite, later bool) {
	var evidence []string
	gate, commit := "", ""
	if s.Brought != "" {
		commit = " --commit " + s.Brought
	}
	for _, from := range s.From {
		evidence = append(evidence, yamlString("soak:"+from.Name))
	}
	if len(s.From) > 0 {
		gate = fmt.Sprintf("\n    - mkdir -p soak\n    - kiban ci gate %[1]s --soak soak --result result-%[1]s.json", s.Name)
	}
	fmt.Fprintf(b, `
"apply:%[1]s":
  stage: %[2]s
  interruptible: false
  retry: 0
  timeout: 6h
  resource_group: kiban/%[1]s
  environment: {name: %[3]s, deployment_tier: %[4]s, action: start}
  dependencies: [%[5]s]
  variables: {RUNNER_SCRIPT_TIMEOUT: 5h45m, RUNNER_AFTER_SCRIPT_TIMEOUT: 10m}
  script:%[6]s
    - kiban ci reviewed %[1]s --out reviewed%[7]s
    - kiban ci tell %[1]s started --plan reviewed/%[1]s.json || true
    - >-
      kiban apply %[1]s --yes --lock-timeout 30m --reviewed reviewed/%[1]s.json --accept-changes "$KIBAN_ACCEPT_CHANGES"
      ${KIBAN_RETRY_FAILED:+--retry-failed} --result result-%[1]s.json
  after_script:
    - kiban show latest --site %[1]s -o html > timeline-%[1]s.html || rm -f timeline-%[1]s.html
    - kiban ci tell %[1]s ended --result result-%[1]s.json || true
  artifacts:
    when: always
    access: developer
    expire_in: 1 year
    paths: [.kiban/runs/, timeline-%[1]s.html, result-%[1]s.json]
`, s.Name, waveStage(s.Wave), yamlString(environmentOf(s)), deploymentTier(s.Tier), strings.Join(evidence, ", "), gate, commit)
	switch {
	case s.Manual:
		fmt.Fprintf(b, "  when: manual\n  allow_failure: %t\n  manual_confirmation: %s\n", later, yamlString("Apply to "+s.Name+"?"))
	case later:
		b.WriteString("  allow_failure: {exit_codes: [3]}\n")
	}
}

// writeDriftJob fails where a site is not as declared, or can't be planned, and tells of it once. The site is looked at for its soak
// whatever else: a change by hand is no ill health. Its exit code is the plan's, unless the plan was well and the look was not.
func writeDriftJob(b *strings.Builder, s lifecycle.PipelineSite) {
	fmt.Fprintf(b, `
"drift:%[1]s":
  stage: sites
  interruptible: true
  environment: {name: %[2]s, action: verify}
  script:
    - mkdir -p plans
    - status=0
    - kiban plan %[1]s -o json --detailed-exitcode > plans/%[1]s.json || status=$?
    - test $status -ne 2 || kiban ci note --plans plans --print || true
    - kiban ci tell %[1]s drift --plan plans/%[1]s.json || true
    - kiban ci soak %[1]s --record || test $status -ne 0 || status=1
    - exit $status
  artifacts:
    when: always
    access: developer
    expire_in: 30 days
    paths: [plans/%[1]s.json]
`, s.Name, yamlString(environmentOf(s)))
}

// writeBackupJob takes a backup, which goes to where the site says and not into the job's artifacts: those would be a second place, with
// other readers. A job that is cut off has changed nothing, and one that is retried takes no second backup.
func writeBackupJob(b *strings.Builder, s lifecycle.PipelineSite) {
	fmt.Fprintf(b, `
"backup:%[1]s":
  stage: sites
  interruptible: true
  retry: {max: 1, when: [runner_system_failure, stuck_or_timeout_failure]}
  environment: {name: %[2]s, action: access}
  script:
    - kiban backup %[1]s --scheduled
    - kiban backup list %[1]s
`, s.Name, yamlString(environmentOf(s)))
	if s.Drill {
		writeDrillJob(b, s)
	}
}

// writeDrillJob restores the newest backup in a lab within the job, where the site wants a proof. The private key is a file that a variable
// names, where there is one; it reaches no argument.
func writeDrillJob(b *strings.Builder, s lifecycle.PipelineSite) {
	fmt.Fprintf(b, `
"drill:%[1]s":
  stage: sites
  needs: ["backup:%[1]s"]
  interruptible: true
  environment: {name: %[2]s, action: access}
  script:
    - mkdir -p drills
    - kiban drill %[1]s ${KIBAN_BACKUP_IDENTITY:+--identity "$KIBAN_BACKUP_IDENTITY"} -o markdown > drills/%[1]s.md
  artifacts:
    when: always
    access: developer
    expire_in: 90 days
    paths: [drills/%[1]s.md]
`, s.Name, yamlString(environmentOf(s)))
}
