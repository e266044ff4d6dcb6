package fit

import (
	"fmt"
	"strconv"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// words say what is wrong with n nodes, which a group can't be put on, so that they can follow the number: "have less than 2 CPU free".
func (b *Board) words(g *Group, o obstacle, n int) string {
	k := &b.kinds[g.Kind]
	one := n == 1
	switch o {
	case cordoned:
		return verb(one, "is", "are") + " out of service"
	case unmatched:
		return verb(one, "does", "do") + " not match " + b.s.NodeSets[k.Selected].Why
	case tainted:
		return verb(one, "has", "have") + " a taint that it does not tolerate"
	case apart:
		return verb(one, "is", "are") + " not " + b.s.NodeSets[g.Volumes].Why
	case ported:
		return verb(one, "has", "have") + " its host port taken"
	case repelled:
		return verb(one, "has", "have") + " a pod that it must keep away from (anti-affinity)"
	case lonely:
		return verb(one, "has", "have") + " no pod that it must be near (affinity): " + b.terms(k.Affinity)
	case skewed:
		return "would spread it unevenly" + b.spreads(k)
	}
	r := int(o - full)
	return verb(one, "has", "have") + " less than " + Amount(b.s.Resources[r], k.Requests[r]) + " free"
}

func verb(one bool, singular, plural string) string {
	if one {
		return singular
	}
	return plural
}

func (b *Board) terms(terms []int32) string {
	var out []string
	for _, t := range terms {
		out = append(out, b.s.Terms[t].Why+" by "+b.s.Topologies[b.s.Terms[t].Topology])
	}
	return strings.Join(out, ", ")
}

// spreads says what a kind's constraints ask for: " (topology spread: skew of at most 1 by kubernetes.io/hostname)".
func (b *Board) spreads(k *kind) string {
	var out []string
	for _, s := range k.Spread {
		out = append(out, fmt.Sprintf("skew of at most %d by %s", s.MaxSkew, b.s.Topologies[s.Topology]))
	}
	return " (topology spread: " + strings.Join(out, ", ") + ")"
}

// Amount is how much of a resource, as people say it: "2 CPU", "1.5 GiB of memory".
func Amount(resource string, n int64) string {
	switch resource {
	case lifecycle.ResourcePods:
		return lifecycle.Count(int(n), "place") + " for a pod"
	case lifecycle.ResourceCPU:
		return strconv.FormatFloat(float64(n)/1000, 'f', -1, 64) + " CPU"
	case lifecycle.ResourceMemory:
		return bytes(n) + " of memory"
	case lifecycle.ResourceDisk:
		return bytes(n) + " of ephemeral storage"
	}
	return strconv.FormatInt(n, 10) + " " + resource
}

func bytes(n int64) string {
	f, units := float64(n), []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	i := 0
	for f >= 1024 && i < len(units)-1 {
		f /= 1024
		i++
	}
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(f, 'f', 2, 64), "0"), ".") + " " + units[i]
}
