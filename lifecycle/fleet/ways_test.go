package fleet_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/git"
	"kiban.dev/kiban/lifecycle/site"
)

// ground is a fleet in a repository, made by the git that people use.
type ground struct {
	testing.TB
	dir string
}

func (g ground) git(args ...string) {
	g.Helper()
	cmd := exec.CommandContext(g.Context(), "git", args...)
	cmd.Dir = g.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_AUTHOR_NAME=a",
		"GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	if out, err := cmd.CombinedOutput(); err != nil {
		g.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (g ground) write(name, content string) {
	g.Helper()
	file := filepath.Join(g.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		g.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		g.Fatal(err)
	}
}

func (g ground) edit(name, old, is string) {
	g.Helper()
	content, err := os.ReadFile(filepath.Join(g.dir, name))
	if err != nil || !strings.Contains(string(content), old) {
		g.Fatalf("%s has no %q: %v", name, old, err)
	}
	g.write(name, strings.ReplaceAll(string(content), old, is))
}

func (g ground) commit() {
	g.Helper()
	g.git("add", "-A")
	g.git("commit", "-q", "--allow-empty", "-m", "change")
}

// overlay writes a site of one machine, with more lines for its kustomization.
func (g ground) overlay(name string, number int, more string) {
	g.Helper()
	g.write("overlays/"+name+"/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"+
		"resources:\n- ../../clusters/base\n- cluster.yaml\n- site.yaml\n"+more)
	g.write("overlays/"+name+"/cluster.yaml", fmt.Sprintf("apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\n"+
		"metadata:\n  name: %s\nspec:\n  hosts:\n  - hostname: %[1]s-1\n    role: single\n    ssh:\n      address: 10.0.0.%d\n"+
		"  k0s:\n    version: v1.36.3+k0s.2\n", name, number))
	g.write("overlays/"+name+"/site.yaml", fmt.Sprintf("apiVersion: kiban.dev/v1alpha1\nkind: Site\nmetadata:\n  name: %s\n"+
		"  labels: {tier: lab}\nspec:\n  wave: 1\n  api:\n    clusterUID: 00000000-0000-4000-8000-%012d\n", name, number))
}

// source is what verbs read fleets by.
func source() fleet.Source {
	return fleet.Source{
		Load: func(ctx context.Context, dir, name, beside string) (lifecycle.Site, lifecycle.Diagnostics) {
			return site.Load(ctx, dir, name, site.Options{UnknownHosts: true, Unpinned: true, Beside: beside})
		},
		List: site.List, Inputs: site.Inputs, Reads: site.Reads, Blob: git.Blob, IsSite: site.IsSite, Also: []string{site.GroupsDir},
		Open: func(dir string) (func(string) (fleet.Snapshot, error), error) {
			h, err := git.Open(dir)
			if err != nil {
				return nil, err
			}
			return func(revision string) (fleet.Snapshot, error) {
				s, err := h.At(revision)
				if err != nil {
					return nil, err
				}
				return s, nil
			}, nil
		},
	}
}

// found is all that a comparison told, or why it could not.
type found struct {
	list fleet.List
	told string
}

// whole compares with a revision by writing all of it out; it is what the other way is held against.
func (g ground) whole(s fleet.Source, revision string) found {
	g.Helper()
	into := g.TempDir()
	full, err := git.Checkout(g.dir, revision, into)
	if err != nil {
		return found{told: err.Error()}
	}
	then, err := s.Past(into, g.dir, full)
	if err != nil {
		g.Fatal(err)
	}
	now, err := s.Now(g.dir)
	if err != nil {
		g.Fatal(err)
	}
	list, ds, err := fleet.Between(g.Context(), then, now)
	if err != nil {
		return found{told: err.Error()}
	}
	return found{list, fmt.Sprint(ds)}
}

func (g ground) byTree(s fleet.Source, revision string) found {
	g.Helper()
	list, ds, err := s.Changed(g.Context(), g.dir, revision)
	if err != nil {
		return found{told: err.Error()}
	}
	return found{list, fmt.Sprint(ds)}
}

// TestBothWaysAgree: what changed since a revision is the same, whether all of the revision is written out and each file compared, or
// git's names are compared and only what is needed is written.
func TestBothWaysAgree(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("repositories are made by git, and it is not here")
	}
	object := func(name, value string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\n  namespace: default\ndata:\n  key: " + value + "\n"
	}
	const component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources:\n- object.yaml\n"
	addon := func(manifest string) string {
		return "apiVersion: kiban.dev/v1alpha1\nkind: Addon\nmetadata:\n  name: extra\n" +
			"spec:\n  namespace: default\n  manifests: [" + manifest + "]\n"
	}
	for _, c := range []struct {
		what string
		// change is made to the work tree; is what is to be told, "site:change" of each.
		change func(g ground)
		want   string
	}{
		{"nothing", func(ground) {}, ""},
		{"a base", func(g ground) { g.edit("clusters/base/object.yaml", "key: one", "key: two") },
			"a:changed b:changed c:changed d:changed reader:changed"},
		{"a comment in a base", func(g ground) { g.edit("clusters/base/object.yaml", "data:", "data: # of all") }, ""},
		{"a component", func(g ground) { g.edit("clusters/components/extra/object.yaml", "key: one", "key: two") }, "b:changed"},
		{"an overlay", func(g ground) { g.edit("overlays/a/site.yaml", "wave: 1", "wave: 2") }, "a:changed"},
		{"an overlay, of the same size", func(g ground) { g.edit("overlays/a/cluster.yaml", "10.0.0.1", "10.0.0.9") }, "a:changed"},
		{"an overlay, staged", func(g ground) { g.edit("overlays/a/site.yaml", "wave: 1", "wave: 2"); g.git("add", "-A") }, "a:changed"},
		{"an overlay, committed", func(g ground) { g.edit("overlays/a/site.yaml", "wave: 1", "wave: 2"); g.commit() }, "a:changed"},
		{"committed, and back in the work tree", func(g ground) {
			g.edit("overlays/a/site.yaml", "wave: 1", "wave: 2")
			g.commit()
			g.edit("overlays/a/site.yaml", "wave: 2", "wave: 1")
		}, ""},
		{"with the file's time put back", func(g ground) {
			file := filepath.Join(g.dir, "overlays", "a", "site.yaml")
			info, err := os.Stat(file)
			if err != nil {
				g.Fatal(err)
			}
			g.edit("overlays/a/site.yaml", "wave: 1", "wave: 2")
			if err := os.Chtimes(file, info.ModTime(), info.ModTime()); err != nil {
				g.Fatal(err)
			}
		}, "a:changed"},
		{"a README", func(g ground) { g.write("README.md", "new") }, ""},
		{"an untracked file in an overlay", func(g ground) { g.write("overlays/a/notes.txt", "new") }, ""},
		{"an ignored file in an overlay", func(g ground) { g.write("overlays/a/secret.ignored", "new") }, ""},
		{"a file that was ignored is read", func(g ground) {
			g.write("overlays/a/more.ignored", object("more", "new"))
			g.overlay("a", 1, "- more.ignored\n")
		}, "a:changed"},
		{"a new file that is read", func(g ground) {
			g.write("overlays/a/more.yaml", object("more", "new"))
			g.overlay("a", 1, "- more.yaml\n")
		}, "a:changed"},
		{"a file that is gone", func(g ground) {
			g.overlay("d", 4, "")
			if err := os.Remove(filepath.Join(g.dir, "overlays/d/addon.yaml")); err != nil {
				g.Fatal(err)
			}
		}, "d:changed"},
		{"a file that is needed is gone", func(g ground) {
			if err := os.Remove(filepath.Join(g.dir, "overlays/a/site.yaml")); err != nil {
				g.Fatal(err)
			}
		}, "a:changed"},
		{"a manifest that documents name", func(g ground) { g.edit("manifests/extra.yaml", "key: one", "key: two") }, "d:changed"},
		{"a file of another overlay", func(g ground) { g.edit("overlays/c/shared.yaml", "key: one", "key: two") }, "reader:changed"},
		{"one who reads of another overlay", func(g ground) { g.edit("overlays/reader/site.yaml", "wave: 1", "wave: 2") },
			"reader:changed"},
		{"a new site", func(g ground) { g.overlay("new", 9, "") }, "new:added"},
		{"a site is gone", func(g ground) { g.git("rm", "-rq", "overlays/a") }, ""},
		{"a site is renamed", func(g ground) {
			g.git("mv", "overlays/a", "overlays/z")
			g.edit("overlays/z/site.yaml", "name: a", "name: z")
		}, "z:renamed"},
		{"a site is renamed, and one is gone", func(g ground) {
			g.git("rm", "-rq", "overlays/b")
			g.git("mv", "overlays/a", "overlays/z")
			g.edit("overlays/z/site.yaml", "name: a", "name: z")
		}, "z:renamed"},
		{"a component moves", func(g ground) {
			g.git("mv", "clusters/components/extra", "clusters/components/other")
			g.edit("overlays/b/kustomization.yaml", "components/extra", "components/other")
		}, ""},
		{"a group comes", func(g ground) {
			g.write("clusters/groups/lab/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"+
				"metadata:\n  name: lab\n  annotations:\n    kiban.dev/group-selector: tier=lab\n")
		}, "a:changed b:changed c:changed d:changed reader:changed"},
		{"what is allowed", func(g ground) {
			g.write("fleet.yaml", "apiVersion: kiban.dev/v1alpha1\nkind: Fleet\nspec:\n  localFiles: [/srv/]\n")
		}, ""},
		{"a link in place of a file, to the same content", func(g ground) {
			g.link("overlays/a/site.yaml", "kept.txt")
		}, ""},
		{"a link to a folder", func(g ground) {
			if err := os.Symlink(filepath.Join(g.dir, "manifests"), filepath.Join(g.dir, "overlays", "a", "more")); err != nil {
				g.Fatal(err)
			}
		}, ""},
		{"a link, committed since", func(g ground) { g.link("overlays/a/site.yaml", "kept.txt"); g.commit() }, ""},
		{"line endings", func(g ground) { g.edit("overlays/a/site.yaml", "\n", "\r\n") }, ""},
		{"many at once", func(g ground) {
			g.edit("clusters/base/object.yaml", "key: one", "key: two")
			g.edit("overlays/a/site.yaml", "wave: 1", "wave: 2")
			g.git("rm", "-rq", "overlays/b")
			g.overlay("new", 9, "")
		}, "new:added a:changed c:changed d:changed reader:changed"},
		{"one can't be read", func(g ground) { g.write("overlays/c/site.yaml", "{") }, "c:changed"},
	} {
		t.Run(c.what, func(t *testing.T) {
			g := ground{t, t.TempDir()}
			g.git("init", "-q", "-b", "main")
			g.write(".gitignore", "*.ignored\n")
			g.write("clusters/base/kustomization.yaml", "resources:\n- object.yaml\n")
			g.write("clusters/base/object.yaml", object("base", "one"))
			g.write("clusters/components/extra/kustomization.yaml", component)
			g.write("clusters/components/extra/object.yaml", object("extra", "one"))
			g.write("manifests/extra.yaml", object("manifest", "one"))
			g.overlay("a", 1, "")
			g.overlay("b", 2, "components:\n- ../../clusters/components/extra\n")
			g.overlay("c", 3, "")
			g.write("overlays/c/shared.yaml", object("shared", "one"))
			g.overlay("d", 4, "- addon.yaml\n")
			g.write("overlays/d/addon.yaml", addon("../../manifests/extra.yaml"))
			g.overlay("reader", 5, "- addon.yaml\n")
			g.write("overlays/reader/addon.yaml", addon("../c/shared.yaml"))
			g.commit()
			g.git("tag", "before")
			g.write(".lab/key", "untracked")
			c.change(g)
			whole, byTree := g.whole(source(), "before"), g.byTree(source(), "before")
			if !reflect.DeepEqual(whole, byTree) {
				t.Errorf("by writing out all of it:\n%+v\nby git's names:\n%+v", whole, byTree)
			}
			var got []string
			for _, row := range byTree.list.Sites {
				got = append(got, row.Name+":"+row.Change)
			}
			t.Logf("%s: %q %s", c.what, strings.Join(got, " "), byTree.told)
			for _, one := range strings.Fields(c.want) {
				if !strings.Contains(" "+strings.Join(got, " ")+" ", " "+one+" ") {
					t.Errorf("%s is not told: %q %s", one, got, byTree.told)
				}
			}
		})
	}
}

// link puts a link in place of a file, to its content elsewhere in the fleet.
func (g ground) link(name, to string) {
	g.Helper()
	file := filepath.Join(g.dir, name)
	if err := os.Rename(file, filepath.Join(g.dir, to)); err != nil {
		g.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(g.dir, to), file); err != nil {
		g.Fatal(err)
	}
}

// TestRevisionsThatAreRefused: what a revision holds that a commit does not hold itself stops both ways alike.
func TestRevisionsThatAreRefused(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("repositories are made by git, and it is not here")
	}
	pointer := "version https://git-lfs.github.com/spec/v1\noid sha256:" + strings.Repeat("0", 64) + "\nsize 3\n"
	for what, before := range map[string]func(g ground){
		"a link among the declarations": func(g ground) { g.link("overlays/b/site.yaml", "kept.txt") },
		"a file of Git LFS":             func(g ground) { g.write("overlays/a/large.yaml", pointer) },
		"no fleet yet":                  func(g ground) { g.git("rm", "-rqf", "overlays") },
	} {
		t.Run(what, func(t *testing.T) {
			g := ground{t, t.TempDir()}
			g.git("init", "-q", "-b", "main")
			g.write("clusters/base/kustomization.yaml", "resources: []\n")
			g.overlay("a", 1, "")
			g.overlay("b", 2, "")
			g.git("add", "-A")
			before(g)
			g.commit()
			g.git("tag", "before")
			g.write("overlays/a/large.yaml", "whole")
			_ = os.Remove(filepath.Join(g.dir, "overlays/b/site.yaml"))
			g.overlay("a", 1, "")
			g.overlay("b", 2, "")
			whole, byTree := g.whole(source(), "before"), g.byTree(source(), "before")
			if !reflect.DeepEqual(whole, byTree) {
				t.Errorf("by writing out all of it:\n%+v\nby git's names:\n%+v", whole, byTree)
			}
			t.Log(byTree.told)
		})
	}
}

// BenchmarkSince asks which of 3,500 sites of eight files changed since a revision when one line of one did, by git's names and by
// writing out all of it, in turns; which files each site is made of is known, as it is from the second time on. It reports how much
// processor time each way takes, and the ratio.
func BenchmarkSince(b *testing.B) {
	g := ground{b, b.TempDir()}
	g.git("init", "-q", "-b", "main")
	g.write("clusters/base/kustomization.yaml", "resources: []\n")
	for i := range 3500 {
		name := fmt.Sprintf("site-%04d", i)
		g.overlay(name, 1, "")
		for n := range 5 {
			g.write(fmt.Sprintf("overlays/%s/more-%d.txt", name, n), strings.Repeat(fmt.Sprintln(name, n), 40))
		}
	}
	g.commit()
	g.git("tag", "before")
	g.edit("overlays/site-0007/site.yaml", "wave: 1", "wave: 2")
	s := source()
	s.Reads = func(_, name string) ([]string, bool) {
		return []string{"clusters/base", "fleet.yaml", "overlays/" + name}, true
	}
	var whole, byTree time.Duration
	for b.Loop() {
		began := processorTime(b)
		all := g.whole(s, "before")
		between := processorTime(b)
		one := g.byTree(s, "before")
		whole, byTree = whole+between-began, byTree+processorTime(b)-between
		if !reflect.DeepEqual(all, one) || len(one.list.Sites) != 1 {
			b.Fatalf("by writing out all of it:\n%+v\nby git's names:\n%+v", all, one)
		}
	}
	b.ReportMetric(whole.Seconds()/float64(b.N), "s/whole")
	b.ReportMetric(byTree.Seconds()/float64(b.N), "s/by-names")
	b.ReportMetric(byTree.Seconds()/whole.Seconds(), "ratio")
}

// processorTime is what this process has taken.
func processorTime(b *testing.B) time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		b.Fatal(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
