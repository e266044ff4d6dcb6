package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lab/machine"
)

// TestAKeptLabIsWhatItWas: its machines and its net, unless something else is said.
func TestAKeptLabIsWhatItWas(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "machines.yaml")
	for name, text := range map[string]string{
		file:                           "[{name: other, role: worker}]",
		filepath.Join(dir, "lab.json"): `{"net": "127.150.7", "machines": [{"name": "cp", "role": "controller", "address": "127.150.7.11"}]}`,
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		keep          bool
		net, file     string
		given         []string
		wantNet, want string
	}{
		{true, "127.88.0", "", nil, "127.150.7", "cp"},
		{true, "auto", "", []string{"net"}, "127.150.7", "cp"},
		{true, "127.99.0", "", []string{"net"}, "127.99.0", "cp"},
		{true, "127.88.0", "", []string{"workers"}, "127.150.7", ""},
		{true, "127.88.0", file, []string{"machines"}, "127.150.7", "other"},
		{false, "127.88.0", "", nil, "127.88.0", ""},
		{false, "auto", file, []string{"net", "machines"}, "auto", "other"},
	} {
		o := machine.Options{Dir: dir, Keep: tc.keep, Net: tc.net}
		if err := describe(func(flag string) bool { return slices.Contains(tc.given, flag) }, &o, tc.file); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, m := range o.Machines {
			names = append(names, m.Name)
		}
		if o.Net != tc.wantNet || strings.Join(names, " ") != tc.want {
			t.Errorf("%+v: net %s, machines %q", tc, o.Net, names)
		}
	}
	o := machine.Options{Dir: t.TempDir(), Keep: true, Net: "127.88.0"}
	if err := describe(func(string) bool { return false }, &o, ""); err != nil || o.Net != "127.88.0" || o.Machines != nil {
		t.Errorf("a folder without a lab: %+v, %v", o, err)
	}
}

// TestMachinesAreSaidOnce: a list and a number can't both be meant.
func TestMachinesAreSaidOnce(t *testing.T) {
	for _, args := range [][]string{{"up", "--machines", "a.yaml", "--workers", "3"}, {"up", "--machines", "a.yaml", "--prefix", "x"},
		{"probe", "--all", "--service", "web"}} {
		c := command()
		c.SetArgs(append([]string{"--dir", t.TempDir()}, args...))
		if err := c.Execute(); err == nil || !strings.Contains(err.Error(), "none of the others can be") {
			t.Errorf("%q: %v", args, err)
		}
	}
}
