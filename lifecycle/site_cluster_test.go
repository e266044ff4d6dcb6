package lifecycle

import (
	"strings"
	"testing"
)

func TestOtherCluster(t *testing.T) {
	for name, tt := range map[string]struct {
		pinned, uid, marked string
		want                string
	}{
		"nothing is known":      {},
		"no mark yet":           {uid: "a"},
		"its own mark":          {uid: "a", marked: "tokyo"},
		"its own UID":           {pinned: "a", uid: "a", marked: "tokyo"},
		"another UID":           {pinned: "a", uid: "b", marked: "tokyo", want: "another cluster"},
		"another site's mark":   {uid: "a", marked: "osaka", want: "it is site osaka"},
		"its UID, another mark": {pinned: "a", uid: "a", marked: "osaka", want: "it is site osaka"},
		"a UID that is unknown": {pinned: "a"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Site{Name: "tokyo"}
			s.API.ClusterUID = tt.pinned
			d, ok := s.OtherCluster(tt.uid, tt.marked)
			if ok != (tt.want != "") || !strings.Contains(d.Summary, tt.want) {
				t.Errorf("%v, %+v", ok, d)
			}
		})
	}
}
