package k0s

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// etcdStatus reads what etcd says of itself: its status as JSON, and metrics behind it, a line each. clock is the machine's.
func etcdStatus(text []byte, clock time.Time) *lifecycle.EtcdStatus {
	var s struct {
		Header struct {
			MemberID string `json:"member_id"`
		} `json:"header"`
		Version     string      `json:"version"`
		DBSize      json.Number `json:"dbSize"`
		DBSizeInUse json.Number `json:"dbSizeInUse"`
		DBSizeQuota json.Number `json:"dbSizeQuota"` // since etcd 3.6; before, a metric has it
		Leader      string      `json:"leader"`
		IsLearner   bool        `json:"isLearner"`
		Errors      []string    `json:"errors"`
	}
	i := bytes.IndexByte(text, '{')
	if i < 0 || json.NewDecoder(bytes.NewReader(text[i:])).Decode(&s) != nil || s.Header.MemberID == "" {
		return &lifecycle.EtcdStatus{Unknown: cmp.Or(firstLine(text), "etcd did not answer on its client port")}
	}
	counts := metrics(text)
	paceUnknown := ""
	if _, said, ok := strings.Cut(string(text), "curl: ("); ok && len(counts) == 0 {
		paceUnknown = firstLine([]byte("curl: (" + said))
	}
	e := &lifecycle.EtcdStatus{
		PaceUnknown: paceUnknown,
		Version:     short(s.Version),
		Leads:       s.Header.MemberID == s.Leader, Leaderless: s.Leader == "" || s.Leader == "0", Learner: s.IsLearner,
		Size: number(s.DBSize), InUse: number(s.DBSizeInUse), Quota: cmp.Or(number(s.DBSizeQuota), counts["etcd_server_quota_backend_bytes"]),
		LeaderChanges: int(counts["etcd_server_leader_changes_seen_total"]),
		Fsyncs:        counts["etcd_disk_wal_fsync_duration_seconds_count"],
	}
	if quick, ok := counts[`etcd_disk_wal_fsync_duration_seconds_bucket{le="0.512"}`]; ok && quick <= e.Fsyncs {
		e.SlowFsyncs = e.Fsyncs - quick
	}
	if began := counts["process_start_time_seconds"]; began > 0 && !clock.IsZero() && clock.Unix() > began {
		e.Since = time.Duration(min(clock.Unix()-began, 1<<31)) * time.Second
	}
	for _, alarm := range []string{lifecycle.EtcdCorrupt, lifecycle.EtcdNoSpace} {
		if slices.ContainsFunc(s.Errors, func(e string) bool { return strings.Contains(e, "alarm:"+alarm) }) {
			e.Alarms = append(e.Alarms, alarm)
		}
	}
	return e
}

// metrics are those of a text in Prometheus' form, by name and labels. What is none, or no number that counts something, is left out.
func metrics(text []byte) map[string]int64 {
	out := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		i := strings.LastIndexByte(strings.TrimSpace(line), ' ')
		if i < 0 {
			continue
		}
		if n, err := strconv.ParseFloat(strings.TrimSpace(line)[i+1:], 64); err == nil && n >= 0 && n < 1<<53 {
			out[line[:i]] = int64(n)
		}
	}
	return out
}

// number is how many bytes there are; 0 for what is no number of bytes.
func number(n json.Number) int64 {
	v, err := strconv.ParseInt(n.String(), 10, 64)
	if err != nil || v < 0 {
		return 0
	}
	return v
}
